"""How each sprite belongs into a picture. Walking and driving sprites are drawn facing right."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

Facing = Literal["left", "right", "front"]
Habitat = Literal["ground", "water", "air", "undersea", "scenery", "instrument"]


@dataclass(frozen=True, slots=True)
class Traits:
    """`height` is the usual one as a share of the composition's unit; `face` says that only a face exists."""

    facing: Facing
    habitat: Habitat
    height: float
    face: bool = False
    legs: int = 0


# A block per kind: habitat, facing and number of legs, then each sprite with its height in thousandths.
_TABLE = """
ground right 4
cat 270, black-cat 270, dog 280, poodle 280, fox 270, wolf 300, tiger 300, leopard 290, lion 350, bear 350,
polar-bear 350, panda 330, horse 400, unicorn 410, deer 390, zebra 370, giraffe 540, elephant 440, mammoth
450, rhinoceros 340, hippopotamus 300, cow 330, ox 340, water-buffalo 340, pig 230, sheep 270, ram 280, goat
280, llama 340, camel 400, two-hump-camel 400, sauropod 520, hedgehog 150, mouse 120, rabbit 190, squirrel
170, beaver 180, badger 170, otter 180, crocodile 240, lizard 170, turtle 170, frog 160

ground right 2
man 430, woman 425, old-man 415, old-woman 405, boy 340, girl 340, princess 440, swordsman 435, wizard 470,
ninja 430, santa 440, astronaut 440, robot 440, hanfu 440, kangaroo 320, monkey 250, gorilla 340, t-rex 460,
rooster 210, turkey 220, goose 230, flamingo 310, baby-chick 130, parrot 190

ground front 2
dancer 420, penguin 240, orangutan 300, peacock 260, owl 190, alien-monster 240

ground right 0
snake 210, snail 130, caterpillar 120, cyclist 380, skier 360, surfer 360

ground front 0
meditator 330, sloth 260, crab 140, lobster 180, lady-beetle 110, spider 120, teddy-bear 230

ground right 6
ant 110

ground right 0
bicycle 240, motorcycle 230, motor-scooter 230, automobile 210, racing-car 140, taxi 230, suv 250,
pickup-truck 210, truck 270, lorry 290, tractor 280, bus 300, ambulance 270, fire-engine 280, police-car
230, locomotive 330, train 250, bullet-train 270, tram 320

water right 0
paper-boat 290, sailboat 370, galleon 480, canoe 130, rowing-boat 230, speedboat 160, motor-boat 200, ferry
280, cruise-ship 320, ship 320, swan 240, duck 190, whale 330, spouting-whale 390, dolphin 290, seal 190

water front 0
lotus 140, mermaid 350

air right 0
bird 170, crow 180, dove 190, gull 150, eagle 230, honeybee 120, dragon 400, airplane 260, biplane 260,
helicopter 240, rocket 340, paper-plane 180, paper-crane 210

air front 0
butterfly 150, bat 190, phoenix-bird 340, ghost 280, pixie 330, flying-saucer 240, satellite 220,
hot-air-balloon 430, sky-lantern 250, balloon 260, kite 280, parachute 330, ringed-planet 320,
globe-showing-asia-australia 330

undersea right 0
fish 180, koi 180, tropical-fish 190, blowfish 180, shark 300, sea-turtle 260, shrimp 150

undersea front 0
octopus 250, squid 270, jellyfish 250

scenery front 0
house 430, houses 400, cabin 420, hut 360, castle 520, temple 520, church 470, mosque 440, pavilion 460,
lighthouse 600, windmill 560, tent 260, ferris-wheel 560, tower 560, factory 420, fountain 260,
shinto-shrine 400, statue-of-liberty 560, moai 360, volcano 460, carousel-horse 340, snowman 320,
christmas-tree 460, deciduous-tree 500, evergreen-tree 500, palm-tree 500, cactus 300, mushroom 180,
sunflower 300, tulip 230, rose 260, blossom 220, hibiscus 200, coral 240, spiral-shell 130, rock 170,
campfire 240, jack-o-lantern 200, red-lantern 260, candle 190, light-bulb 200, umbrella 280, wrapped-gift
190, open-book 170, soccer-ball 130, basketball 130, hot-beverage 200, teapot 200, birthday-cake 230,
watermelon 190, red-apple 160, strawberry 160, ice-cream 230, pizza 210, hamburger 200, steaming-bowl 210,
dumpling 160, moon-cake 180, crown 190, gem-stone 180, crystal-ball 220, telescope 290, camera 190, laptop
210, red-heart 200, maple-leaf 200, chair 230, stool 120

instrument left 0
piano 320

instrument front 0
guitar 300, violin 290, drum 220, trumpet 210, saxophone 260, accordion 240, flute 210, banjo 290
"""
_FACES = "koala 300, hamster 280, raccoon 290, baby 280, alien 290"


def _rows() -> Iterator[tuple[str, Traits]]:
    for block in _TABLE.strip().split("\n\n"):
        head, _, row = block.partition("\n")
        habitat, facing, legs = head.split()
        for name, height in _heights(row):
            yield name, Traits(cast("Facing", facing), cast("Habitat", habitat), height, legs=int(legs))


def _heights(row: str) -> Iterator[tuple[str, float]]:
    for entry in row.replace("\n", " ").split(","):
        name, height = entry.split()
        yield name, int(height) / 1000


TRAITS: dict[str, Traits] = dict(_rows()) | {
    name: Traits("front", "ground", height, face=True) for name, height in _heights(_FACES)
}
