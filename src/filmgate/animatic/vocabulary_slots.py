"""The words of both languages for all slots but the subjects, and those that only look like one."""

# Slot by slot, value by value: terms separated by commas.
SLOT_TERMS: dict[str, dict[str, str]] = {
    "time": {
        "dawn": "日出, 清晨, 早晨, 早上, 朝阳, 黎明, 破晓, 拂晓, 晨曦, 晨光, 凌晨, 旭日, 晨雾, sunrise, daybreak, morning,"
        "dawn, first light, early morning",
        "day": "白天, 阳光, 中午, 正午, 午后, 下午, 上午, 烈日, 蓝天, 太阳, 艳阳, 日光, noon, midday, sunny, daytime,"
        "daylight, afternoon, sunshine, sunlight, sunlit, blue sky, blue skies, bright day",
        "sunset": "日落, 夕阳, 黄昏, 晚霞, 落日, 余晖, 斜阳, 火烧云, 金色时刻, sunset, golden hour, sundown, setting sun,"
        "evening glow, late afternoon",
        "dusk": "傍晚, 暮色, 薄暮, 黄昏后, 蓝调时刻, 入夜, dusk, twilight, blue hour, nightfall, evening",
        "night": "夜, 夜晚, 夜里, 夜间, 深夜, 午夜, 半夜, 夜色, 夜空, 夜景, 星空, 月光, 月亮, 月色, 月下, 明月, 圆月, 满月,"
        "晚上, 今晚, 夜幕, 星夜, 雪夜, 夜市, 夜雨, night, nighttime, midnight, moonlit, moonlight, starry, moon, full moon, nocturnal,"
        "starlight, starlit, night sky, late night, tonight",
    },
    "weather": {
        "rain": "雨, 下雨, 细雨, 小雨, 大雨, 春雨, 雨中, 雨天, 阴雨, 毛毛雨, 雨滴, 雨水, 夜雨, 雨后, 雨幕, rain, rainy, raining,"
        "drizzle, drizzling, rainfall, raindrop, shower, downpour, wet street",
        "storm": "暴雨, 暴风雨, 雷电, 雷雨, 闪电, 打雷, 雷暴, 风暴, 台风, 狂风, 飓风, 龙卷风, 雷阵雨, storm, stormy,"
        "thunder, thunderstorm, lightning, tempest, hurricane, typhoon, tornado, rainstorm",
        "snow": "雪, 下雪, 飘雪, 大雪, 暴雪, 雪花, 雪夜, 雪中, 雪地, 雪原, 风雪, 初雪, 雪天, 冬天, 冬日, 冬季, 寒冬, 冰雪, snow,"
        "snowy, snowing, snowfall, blizzard, snowflake, snowstorm, winter, wintry, snow covered",
        "fog": "雾, 大雾, 薄雾, 迷雾, 晨雾, 云海, 云雾, 雾气, 烟雾缭绕, 烟雨, 云端, fog, foggy, mist, misty, haze, hazy,"
        "sea of clouds, above the clouds",
        "clear": "晴, 晴天, 晴朗, 晴空, 万里无云, 蓝天, clear sky, clear skies, cloudless, blue sky, blue skies, sunny",
        "cloudy": "多云, 阴天, 乌云, 阴沉, 阴云, 云层, 白云, cloudy, overcast, clouds, gloomy, grey sky, gray sky",
    },
    "place": {
        "snow_mountain": "雪山, 冰川, 雪峰, 冰山, 珠穆朗玛, 珠峰, 喜马拉雅, 阿尔卑斯, 富士山, 北极, 南极, 冰原, 雪域,"
        "snow mountain, snowy mountain, snow capped mountain, snow covered mountain, snowy peak, snow capped peak,"
        "alps, glacier, iceberg, himalaya, everest, mount fuji, arctic, antarctic, antarctica, snow peak, ice field,"
        "mountains in winter, ski slope",
        "mountain": "山, 山脉, 高山, 群山, 峡谷, 山谷, 悬崖, 山顶, 山峰, 山峦, 山间, 大山, 青山, 山坡, 瀑布, 黄山, 梯田, mountain,"
        "valley, cliff, canyon, gorge, peak, hilltop, mountaintop, highland, waterfall, ravine, ridge",
        "lake": "湖, 湖面, 湖泊, 池塘, 河, 河流, 小河, 溪流, 小溪, 江, 江面, 江南, 水面, 水边, 湖边, 河边, 西湖, 荷塘, 水乡, 湿地,"
        "运河, lake, lakeside, river, riverside, pond, creek, stream, canal, lagoon, marsh, wetland, still water,"
        "calm water",
        "sea": "海, 大海, 海洋, 海面, 海边, 海滩, 沙滩, 海岸, 海上, 海浪, 海湾, 海岛, 岛屿, 小岛, 港口, 码头, 海港, 浪花, 波涛, 太平洋,"
        "大西洋, sea, seaside, seashore, ocean, beach, beaches, coast, coastline, shore, waves, surf, island, bay,"
        "harbor, harbour, pier, port, high seas",
        "meadow": "花园, 草原, 草地, 草坪, 田野, 公园, 花海, 花田, 麦田, 稻田, 原野, 农场, 牧场, 村庄, 乡村, 山村, 庭院, 院子, 果园,"
        "油菜花, 薰衣草, 小山, 丘陵, 山丘, 游乐园, 操场, garden, grassland, prairie, field, meadow, park, farm, pasture,"
        "countryside, village, lawn, orchard, savanna, savannah, hill, hillside, backyard, yard, steppe,"
        "flower field, playground, vineyard, farmland, amusement park",
        "forest": "森林, 树林, 竹林, 丛林, 雨林, 林间, 松林, 枫林, 密林, 热带雨林, 林中, 竹海, forest, jungle, bamboo, woods,"
        "woodland, rainforest, grove, bamboo forest, pine trees, rain forest, among the trees",
        "city": "城市, 都市, 街道, 小巷, 高楼, 街头, 大街, 马路, 街上, 街角, 夜市, 闹市, 城里, 摩天大楼, 楼顶, 屋顶, 地铁, 车站, 古镇,"
        "小镇, 老城, 大楼, 北京, 上海, 香港, 东京, 纽约, 重庆, 巴黎, 伦敦, 广场, 天际线, 公路, 车水马龙, city, cities, street,"
        "alley, skyline, downtown, skyscraper, town, urban, avenue, rooftop, metropolis, tokyo, new york, manhattan,"
        "shanghai, beijing, hong kong, paris, london, highway, road, subway, station, plaza, sidewalk, crosswalk,"
        "wet street, chinatown, cityscape",
        "desert": "沙漠, 沙丘, 戈壁, 大漠, 撒哈拉, 敦煌, 荒漠, desert, dune, sahara, gobi, sand dune, wasteland",
        "space": "太空, 宇宙, 银河, 月球, 火星, 星球, 外太空, 星际, 星云, 星系, 黑洞, 行星, 空间站, space, outer space, galaxy,"
        "galaxies, universe, cosmos, cosmic, nebula, nebulae, milky way, lunar surface, on the moon, mars, planet,"
        "orbiting earth, space station, interstellar, deep space, black hole",
        "underwater": "水下, 海底, 珊瑚, 珊瑚礁, 深海, 水底, 海洋深处, 水族馆, 潜水, underwater, reef, coral reef, undersea,"
        "deep sea, seabed, ocean floor, aquarium, under the sea, beneath the waves, beneath the sea, sea floor",
    },
    "mood": {
        "neon": "赛博朋克, 霓虹, 霓虹灯, 科幻, 未来, 未来都市, 蒸汽波, 全息, cyberpunk, neon, sci fi, futuristic, synthwave,"
        "vaporwave, hologram, holographic, cyber, science fiction, blade runner",
        "warm": "温馨, 治愈, 温暖, 暖色, 舒适, 金色, 浪漫, 幸福, cozy, cosy, warm, heartwarming, romantic, golden, healing,"
        "tender, nostalgic",
        "cold": "寒冷, 冰冷, 冷色, 严寒, 冷清, 极寒, 孤独, 孤寂, cold, icy, frozen, freezing, frosty, chilly, bleak, lonely",
        "pastel": "梦幻, 童话, 可爱, 唯美, 粉色, 马卡龙, 少女心, 卡通, 清新, 萌, dreamy, dreamlike, fairytale, fairy tale,"
        "cute, pastel, whimsical, kawaii, soft colors, storybook, adorable, lovely, cartoon",
        "ink": "水墨, 国风, 水墨画, 古风, 中国风, 国画, 山水画, 写意, 武侠, 仙侠, ink wash, ink painting, chinese painting,"
        "sumi e, ink style, wuxia, traditional chinese",
        "noir": "黑白, 悬疑, 恐怖, 惊悚, 黑色电影, 阴森, 诡异, 暗黑, noir, black and white, horror, monochrome, suspense,"
        "thriller, spooky, eerie, scary, creepy, sinister",
    },
    "camera": {
        "aerial": "航拍, 俯瞰, 俯拍, 鸟瞰, 无人机, 高空, 上帝视角, 飞越, 环绕, aerial, drone, bird's eye view, birds eye view,"
        "bird's eye, top down, overhead, flyover, fly over, flying over, high angle, orbit shot",
        "dolly_in": "推进, 特写, 推镜, 拉近, 推近, 镜头推进, 缓缓推进, 近景, zoom in, zooming in, close up, closeup, dolly in,"
        "push in, zooms in, dolly forward, pushes in, moving closer, macro, slow dolly",
        "dolly_out": "拉远, 后拉, 镜头拉远, 远景, 全景, 拉镜, 大全景, zoom out, zooming out, pull back, pulls back, dolly out,"
        "pulling back, wide shot, establishing shot, zooms out, panorama, panoramic",
        "pan_left": "左移, 左摇, 镜头左移, pan left, pans left, panning left",
        "pan_right": "右移, 右摇, 跟拍, 跟随镜头, 镜头右移, 横移, 平移, 摇镜, pan right, pans right, panning right, tracking,"
        "tracking shot, follow shot, side scrolling, panning shot",
        "tilt_up": "仰拍, 上摇, 上升镜头, 镜头上升, 升镜头, 低角度, tilt up, tilts up, tilting up, crane shot, crane up, low angle,"
        "camera rises",
        "tilt_down": "下摇, 镜头下降, 降镜头, 下降镜头, tilt down, tilts down, tilting down, crane down, camera descends",
        "static": "固定镜头, 静止镜头, 固定机位, 定镜, 静止画面, static shot, static camera, fixed camera, locked off, still shot,"
        "static, tripod, fixed shot",
    },
    "fx": {
        "fireflies": "萤火虫, 流萤, firefly, glow worm, lightning bug",
        "stars": "繁星, 星空, 星星, 星光, 流星, 流星雨, 群星, 星辰, 满天星, 星夜, stars, starry, starlight, starlit, shooting star,"
        "meteor, meteor shower, constellation, star filled sky",
        "petals": "樱花, 花瓣, 桃花, 落花, 梅花, 花雨, 春天, 春日, 春季, petal, cherry blossom, sakura, peach blossom,"
        "plum blossom, springtime, in spring, spring day",
        "leaves": "落叶, 秋天, 枫叶, 红叶, 秋日, 秋叶, 秋季, 秋风, 金秋, fallen leaves, falling leaves, autumn leaves, red leaves, yellow leaves, golden leaves, autumn, maple,"
        "autumnal, fall foliage",
        "embers": "篝火, 火花, 余烬, 火星四溅, 火光, 烈焰, 营火, embers, bonfire, campfire, sparks, camp fire",
        "bubbles": "气泡, 泡泡, 肥皂泡, 水泡, bubble, soap bubble",
        "lanterns": "孔明灯, 天灯, 许愿灯, 水灯, 花灯, sky lantern, floating lantern, paper lanterns, flying lantern, lanterns",
        "fireworks": "烟花, 烟火, 焰火, 礼花, 放烟花, firework, fireworks display",
        "aurora": "极光, 北极光, 南极光, aurora, aurora borealis, northern light, polar light, southern light",
    },
    "action": {
        "walk": "散步, 走, 行走, 走路, 漫步, 走过, 走来, 走在, 闲逛, 徘徊, 穿过, 前行, 逛街, 旅行, 遛狗, walk, walking, walked, stroll,"
        "strolling, wander, wandering, hike, hiking, trek, trekking, stride, striding, marching, strut, roam, roaming,"
        "walks through",
        "run": "奔跑, 跑, 跑步, 奔驰, 狂奔, 冲刺, 飞奔, 慢跑, 奔腾, 追赶, run, running, ran, sprint, sprinting, jog, jogging,"
        "gallop, galloping, dash, dashing, racing, rushing",
        "hunt": "抓, 追, 捕捉, 捉, 捕猎, 狩猎, 追逐, 抓住, 扑, 捕食, 捕鱼, 追捕, 打猎, 抓到, chase, chasing, hunt, hunting, catch,"
        "catches, catching, stalk, stalking, pounce, pouncing, prowl, prowling, pursue, pursuing, sneaking",
        "fly": "飞, 飞翔, 飞行, 翱翔, 飞舞, 盘旋, 飞过, 升空, 起飞, 展翅, 滑翔, 腾空, 飞向, 飞越, fly, flies, flying, flew, soar, soaring,"
        "glide, gliding, hover, hovering, takes off, take off, taking off, lift off, launch, launching, flutter,"
        "fluttering, flap, flapping, circling, flying over",
        "swim": "游, 游泳, 游动, 潜水, 遨游, 游来游去, 畅游, 游过, 潜泳, swim, swimming, swam, dive, diving, snorkel, snorkeling",
        "play": "弹, 演奏, 弹奏, 吹奏, 拉琴, 弹琴, 打鼓, 玩, 玩耍, 嬉戏, 弹钢琴, 拉小提琴, 弹吉他, 吹笛, 唱歌, 演唱, play, playing, played,"
        "perform, performing, strum, strumming, sing, singing, jamming",
        "dance": "跳舞, 舞蹈, 起舞, 翩翩起舞, 舞动, 跳着舞, 芭蕾, 舞剑, 练剑, 打太极, dance, dancing, danced, waltz, waltzing, ballet,"
        "twirl, twirling, breakdance, practicing kung fu, tai chi",
        "float": "漂, 漂浮, 飘浮, 航行, 漂流, 悬浮, 飘荡, 荡漾, 划船, 泛舟, 失重, 飘过, float, floating, drift, drifting, sail, sailing,"
        "bobbing, levitate, levitating, rowing, weightless, cruising",
        "sit": "坐, 睡, 睡觉, 坐着, 坐在, 趴, 趴着, 躺, 躺着, 休息, 打坐, 冥想, 沉睡, 打盹, 发呆, 看书, 读书, 钓鱼, sit, sitting, sat, sleep,"
        "sleeping, asleep, rest, resting, nap, napping, lie, lying, seated, meditate, meditating, reading, fishing,"
        "lounging, snooze",
        "drive": "骑, 驾驶, 行驶, 开车, 飞驰, 骑车, 驶过, 疾驰, 骑行, 兜风, 开过, 驶向, 驶入, 滑雪, 冲浪, 穿梭, drive, driving, drove, ride,"
        "riding, rode, cycling, biking, speeding, skiing, surfing, skating, snowboarding, cruise down, speeds",
        "jump": "跳, 跳跃, 蹦, 蹦跳, 跃起, 跃出, 跳起, 跳过, 蹦蹦跳跳, 腾跃, jump, jumping, jumped, leap, leaping, hop, hopping, bounce,"
        "bouncing, skip, skipping, somersault",
    },
}

# These hold a term of another meaning: they are read whole, and mean nothing.
BLOCKING_TERMS = (
    "海报, 海拔, 海量, 海关, 海外, 海选, 海军, 云海棠, 江湖, 湖南, 湖北, 河南, 河北, 山东, 山西, 中山, 江苏, 江西, 浙江, 黑龙江, 云南, 海南,"
    "青海, 四川, 火锅, 火力, 火热, 火爆, 火辣, 灯火, 烽火, 发火, 马上, 马达, 马克, 马赛克, 马拉松, 罗马, 马虎, 马戏, 牛仔, 牛奶, 牛肉, 牛排, 牛油果, 吹牛,"
    "狗尾草, 热狗, 猫眼, 猫步, 鱼眼, 虎头蛇尾, 龙头, 沙龙, 尼龙, 龙虾片, 鸟语, 花样, 花费, 花纹, 火花塞, 雪白, 雪糕, 雪茄, 雪碧, 雨衣, 雨靴, 雨刷, 谷雨,"
    "玩具, 玩笑, 走廊, 走势, 走心, 跑道, 跑题, 跳板, 跳跃性, 飞速, 飞溅, 飞快, 飞沫, 飞扬, 飞利浦, 游戏, 旅游, 游客, 导游, 上游, 下游, 抓拍, 追求, 追踪, 漂亮, 漂白, 子弹,"
    "炸弹, 导弹, 弹簧, 弹性, 弹窗, 骑士团, 坐标, 睡衣, 舞台, 日夜, 熬夜, 夜宵, 晚安, 夜店, 令人, 让人, 动人, 迷人, 惊人, 宜人, 感人, 人间, 人生, 人工, 人造, 人性,"
    "人气, 人工智能, 人像, 人文, 个人, 本人, 人物关系, 人民币, 车间, 车票, 船长, 明星, 星巴克, 星期, 卫星图, 树立, 花生, 兔年, 鸡尾酒, 鸡蛋, 鸡肉, 鸡汤, 牛年, 羊毛, 羊肉,"
    "猪肉, 鸭脖, 蛋糕店, 杯子, 水杯, 山寨, 阴影, 阴谋, 晴雯, 冰箱, 门铃, 心灵, 推荐, 水龙头, 马桶, 马尾, 斑马线, 花椒, 伞兵, 灯泡厂, 球迷, 球员, 车轮, 追光,"
    "computer mouse, hot dog, movie star, rock star, pop star, all star, star wars, baseball bat, snow white, rain check,"
    "brainstorm, bear in mind, sea level, seasick, dog tag, cat walk, catwalk, carpet, category, car park, parking lot,"
    "fire alarm, fireplace, firewall, train of thought, human race, race track, in the long run, run out, sit com,"
    "warm up, cold brew, space bar, spacebar, blank space, field of view, depth of field, shallow depth of field,"
    "film grain, light years, duck face, sunflower oil, apple watch, apple tree, spring roll, ice cream truck,"
    "bus stop, bus station, train station, flower pot, teddy boy, rose gold, ship it, worldwide, wild card,"
    "star shaped, horse power, horsepower, butterfly effect, snow globe, monkey bars, seal of approval, lion dance,"
    "dragon fruit, dragonfly, horse chestnut, fish eye, fisheye, tiger lily, elephant in the room, dog days, key light,"
    "man made, mankind, kidding, no one, jump cut, cross fade, time flies, fly by night, rest of, the rest, no time,"
    "rocket science, planet earth documentary, king size, camera, moves like"
)
