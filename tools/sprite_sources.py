"""Which emoji becomes which sprite, and what is changed on the way: indices count the shapes of its SVG."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Source:
    """`far` are the legs on the far side, `hip` and `split` in the emoji's 32 units before it is turned.

    `glow` are the shapes that shine at night, in `glow_colour` or, where it is empty, in their own colours.
    """

    icon: str
    turn: bool = False
    drop: tuple[int, ...] = ()
    far: tuple[int, ...] = ()
    hip: float = 0.0
    split: float = 0.0
    glow: tuple[int, ...] = ()
    glow_colour: str = "#ffd27a"
    trim: tuple[int, str] | None = None
    colours: dict[str, str] = field(default_factory=dict)


def _walker(icon: str, hip: float, split: float, *far: int, drop: tuple[int, ...] = ()) -> Source:
    return Source(icon, turn=True, far=far, hip=hip, split=split, drop=drop)


def _turned(icon: str, *drop: int, glow: tuple[int, ...] = ()) -> Source:
    return Source(icon, turn=True, drop=drop, glow=glow)


_AS_THEY_ARE = """
alien-monster butterfly lady-beetle spider octopus squid jellyfish crab lobster phoenix-bird bat peacock
penguin owl koala hamster raccoon teddy-bear balloon umbrella lotus rose tulip sunflower blossom
hibiscus mushroom cactus palm-tree deciduous-tree evergreen-tree maple-leaf wrapped-gift open-book soccer-ball
basketball hot-beverage teapot birthday-cake watermelon red-apple strawberry ice-cream pizza hamburger
steaming-bowl dumpling moon-cake crown gem-stone crystal-ball telescope camera laptop red-heart ringed-planet
globe-showing-asia-australia moai volcano fountain shinto-shrine guitar violin drum trumpet saxophone accordion
flute banjo airplane rocket satellite statue-of-liberty chair carousel-horse alien
spiral-shell rock parachute kite
"""

SOURCES: dict[str, Source] = {name: Source(name) for name in _AS_THEY_ARE.split()} | {
    "cat": _walker("cat", 22.5, 16, 0),
    "black-cat": _walker("black-cat", 22.5, 16, 0),
    "dog": _walker("dog", 22.3, 16, 1),
    "deer": _walker("deer", 21.5, 16, 1, drop=(3,)),
    "tiger": _walker("tiger", 24, 16, 0),
    "leopard": _walker("leopard", 22.5, 16, 0),
    "elephant": _walker("elephant", 21, 17, 0),
    "mammoth": _walker("mammoth", 22, 17, 0),
    "rhinoceros": _walker("rhinoceros", 25.5, 17, 1, 2),
    "giraffe": _walker("giraffe", 20.5, 15, 1),
    "zebra": _turned("zebra"),
    "cow": _walker("cow", 21, 16, 0),
    "ox": _walker("ox", 21, 16, 0),
    "water-buffalo": _walker("water-buffalo", 21, 16, 0),
    "pig": _walker("pig", 25.5, 16, 0),
    "sheep": _walker("ewe", 23, 16, 0, 2),
    "ram": _walker("ram", 23, 16, 0, 2),
    "goat": _walker("goat", 21.5, 16, 0, drop=(3,)),
    "llama": _walker("llama", 21, 16, 0, drop=(4,)),
    "camel": _walker("camel", 20, 16, 0),
    "two-hump-camel": _walker("two-hump-camel", 20, 16, 0),
    "sauropod": _walker("sauropod", 24, 15, 0),
    "hedgehog": _walker("hedgehog", 25.5, 16, 0),
    "poodle": _turned("poodle"),
    "mouse": _turned("mouse"),
    "rabbit": _turned("rabbit"),
    "hippopotamus": _turned("hippopotamus"),
    "kangaroo": _turned("kangaroo"),
    "gorilla": _turned("gorilla"),
    "orangutan": Source("orangutan"),
    "monkey": _turned("monkey"),
    "squirrel": _turned("chipmunk"),
    "otter": _turned("otter"),
    "beaver": _turned("beaver"),
    "badger": _turned("badger"),
    "sloth": Source("sloth"),
    "t-rex": _turned("t-rex"),
    "dragon": _turned("dragon"),
    "crocodile": _turned("crocodile"),
    "snake": _turned("snake"),
    "lizard": _turned("lizard"),
    "turtle": _turned("turtle"),
    "snail": _turned("snail"),
    "caterpillar": _turned("bug"),
    "ant": _turned("ant"),
    "honeybee": _turned("honeybee"),
    "bird": _turned("bird"),
    "crow": _turned("blackbird"),
    "eagle": _turned("eagle"),
    "dove": _turned("dove", 2),
    "parrot": _turned("parrot"),
    "flamingo": _turned("flamingo"),
    "swan": _turned("swan"),
    "duck": _turned("duck"),
    "goose": _turned("goose"),
    "rooster": _turned("rooster"),
    "turkey": _turned("turkey"),
    "baby-chick": _turned("baby-chick"),
    "whale": _turned("whale"),
    "spouting-whale": _turned("spouting-whale"),
    "dolphin": _turned("dolphin"),
    "seal": _turned("seal"),
    "shark": _turned("shark"),
    "shrimp": _turned("shrimp"),
    "fish": _turned("fish"),
    "koi": Source("fish", turn=True, colours={"#00a6ed": "#ff7a2f", "#0074ba": "#fff1e6"}),
    "tropical-fish": _turned("tropical-fish"),
    "blowfish": _turned("blowfish"),
    "mermaid": Source("woman-merpeople"),
    "dancer": Source("woman-dancing"),
    "pixie": Source("woman-fairy"),
    "ghost": Source("ghost", drop=(0,)),
    "snowman": Source("snowman", drop=(0, 9, 10)),
    "baby": Source("baby"),
    "cyclist": _turned("person-biking"),
    "surfer": Source("person-surfing"),
    "skier": _turned("skier"),
    "meditator": Source("person-in-lotus-position"),
    "rowing-boat": _turned("person-rowing-boat", 14, 16),
    "bicycle": _turned("bicycle"),
    "motorcycle": _turned("motorcycle"),
    "motor-scooter": _turned("motor-scooter", glow=(4,)),
    "automobile": _turned("automobile", glow=(3,)),
    "racing-car": _turned("racing-car"),
    "taxi": _turned("taxi", glow=(6,)),
    "suv": _turned("sport-utility-vehicle", glow=(5,)),
    "pickup-truck": _turned("pickup-truck"),
    "truck": _turned("delivery-truck", glow=(5,)),
    "lorry": _turned("articulated-lorry", glow=(7,)),
    "tractor": _turned("tractor"),
    "bus": _turned("bus", glow=(1, 5)),
    "ambulance": _turned("ambulance", glow=(5, 8)),
    "fire-engine": _turned("fire-engine", glow=(4, 8)),
    "police-car": _turned("police-car", glow=(4, 5)),
    "locomotive": _turned("locomotive", glow=(0,)),
    "bullet-train": _turned("bullet-train", glow=(3,)),
    "tram": _turned("tram-car", 0, 7, 8, glow=(5, 6)),
    "helicopter": _turned("helicopter", 3),
    "biplane": Source("small-airplane"),
    "flying-saucer": Source("flying-saucer", glow=(1,)),
    "sailboat": _turned("sailboat", 3),
    "canoe": _turned("canoe", 3),
    "speedboat": _turned("speedboat", 5),
    "motor-boat": _turned("motor-boat", 5, glow=(2, 3)),
    "ferry": _turned("ferry", 1, glow=(2,)),
    "cruise-ship": Source("passenger-ship", turn=True, trim=(4, "m23.51 8.81"), glow=(4,)),
    "ship": Source("ship", turn=True, trim=(4, "m4.68 14.68"), glow=(2, 4)),
    "house": Source("house", glow=(6,)),
    "houses": Source("houses", glow=(3,)),
    "hut": Source("hut", glow=(2,)),
    "castle": Source("castle", glow=(3,)),
    "temple": Source("japanese-castle", glow=(2,)),
    "church": Source("church", glow=(1, 2)),
    "mosque": Source("mosque", glow=(3,)),
    "tent": Source("tent", drop=(0,), glow=(3,)),
    "ferris-wheel": Source("ferris-wheel", glow=(3, 4)),
    "tower": Source("tokyo-tower"),
    "factory": Source("factory"),
    "christmas-tree": Source("christmas-tree", glow=(2, 3, 4), glow_colour=""),
    "jack-o-lantern": Source("jack-o-lantern", glow=(2,)),
    "light-bulb": Source("light-bulb", glow=(1, 2, 4), glow_colour=""),
    "candle": Source("candle", glow=(3, 4), glow_colour=""),
    "red-lantern": Source("red-paper-lantern", glow=(1, 2), glow_colour=""),
    "coral": Source("coral", drop=(1,)),
}

RECOLOURED: dict[str, tuple[str, dict[str, str]]] = {
    "wolf": (
        "fox",
        {
            "#f97b2c": "#8d95a6",
            "#e8651f": "#767e90",
            "#d65a18": "#6a7284",
            "#c2501a": "#5d6577",
            "#fff1dc": "#e4e7ee",
            "#3b2a2a": "#3d4354",
        },
    ),
    "polar-bear": (
        "bear",
        {"#946049": "#f2f5fa", "#6f4433": "#c5cedb", "#d9a883": "#dfe6ef", "#d79a78": "#b9c4d4"},
    ),
}
