"""The words of the actions: one row an action. A row that no motion model knows waits for one that does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from backend.words.stems import stems_of

DOUBTFUL = "~"  # before a word that often says something else: the encoder decides where it is installed


@dataclass(frozen=True, slots=True)
class ActionWords:
    """How people name one action.

    `rules`: words that mean it, each an entry; several words of an entry stand in this order, with at most two others
    between; `DOUBTFUL` may stand before one. `phrases`: examples for the encoder, beside the rules themselves.
    """

    name: str
    rules: tuple[str, ...]
    phrases: tuple[str, ...] = ()

    @property
    def patterns(self) -> tuple[tuple[str, ...], ...]:
        """The rules as stems."""
        return tuple(tuple(stems_of(rule.removeprefix(DOUBTFUL))) for rule in self.rules)


def _row(name: str, rules: str, phrases: str = "") -> ActionWords:
    return ActionWords(
        name, tuple(map(str.strip, rules.split(","))), tuple(filter(None, map(str.strip, phrases.split(","))))
    )


_ROWS = (
    _row(
        "idle",
        "~stand, stand still, ~wait, idle, pose, ~rest, ~stay, ~remain, do nothing, just stand",
        "stands still, waits in place, does nothing, steht still, wartet, reste debout, attend, 立っている, "
        "待つ, hangs about",
    ),
    _row(
        "walk",
        "walk, stroll, amble, wander, step forward, step forwards, ~go, hike, trudge, saunter, ~stride, "
        "shuffle, shuffle forward, plod, march on",
        "walks forward, takes a stroll, goes for a walk, moves ahead on foot, geht, läuft gemütlich, "
        "spaziert, marche, se promène, 歩く, 散歩する",
    ),
    _row(
        "walk_backward",
        "walk back, walk backward, walk backwards, back away, back up, step back, step backward, "
        "step backwards, reverse, retreat, backpedal, go backward, go backwards, walk reverse, "
        "move backward, move backwards, step reverse, back off",
        "walks backwards, moves backwards, geht rückwärts, marche à reculons, recule, 後ろ向きに歩く, "
        "後ずさりする",
    ),
    _row(
        "sidestep",
        "sidestep, side step, step side, step sideways, walk sideways, shuffle sideways, sidle, "
        "step to the side, go left without turning, go right without turning, scoot over, step left, "
        "step right, step to left, step to right, walk left, walk right, side steps",
        "moves sideways, steps to the side, geht seitwärts, fait un pas de côté, 横に歩く",
    ),
    _row(
        "turn_around",
        "turn, turn around, turn round, rotate, face the other way, about face, 180 degrees, turn back, "
        "face backwards, spin on heel, turn on heel",
        "turns around, faces the other way, looks behind, dreht sich um, se retourne, fait demi-tour, "
        "振り返る, 向きを変える",
    ),
    _row(
        "run",
        "run, sprint, rush, dash, hurry, ~race, flee, ~charge",
        "runs fast, hurries away, rennt, court, 走る, speeds along on foot, runs ahead, sprints off, "
        "läuft schnell weg",
    ),
    _row(
        "jump",
        "jump, spring up, bounce off the ground, jump up, jump high, jump in place, spring upwards",
        "jumps into the air, leaps up, springt, springt hoch, saute, bondit, 跳ぶ, ジャンプする",
    ),
    _row(
        "hop",
        "hop, hop one leg, hopscotch, hop along",
        "hops on one leg, bounces on one foot, hüpft, hüpft auf einem Bein, saute à cloche-pied, sautille, "
        "片足で跳ねる",
    ),
    _row(
        "jumping_jacks",
        "jumping jack, jumping jacks, star jump, star jumps, jump jack, straddle hop, "
        "jump with arms and legs spread",
        "does jumping jacks, macht Hampelmänner, fait des jumping jacks, ジャンピングジャックをする",
    ),
    _row(
        "squat",
        "squat, crouch, knee bend, knee bends, ~duck, hunker, bend knees, deep knees",
        "does squats, bends the knees deeply, geht in die Hocke, macht Kniebeugen, s'accroupit, "
        "fait des squats, しゃがむ, スクワットをする",
    ),
    _row(
        "sit_down",
        "sit down, take a seat, have a seat, sit, settle into chair, take place, onto a chair, be seated, "
        "perch",
        "sits down on a chair, takes a seat, setzt sich, s'assied, s'assoit, 座る, 椅子に座る",
    ),
    _row(
        "stand_up",
        "stand up, ~rise, arise, rise to feet, leave chair, get to feet, rise from, get up, "
        "get up from chair, get up from seat, stand up from",
        "gets up from a chair, rises to the feet, steht auf, se lève, 立ち上がる",
    ),
    _row(
        "kneel",
        "kneel, kneel down, genuflect, go down on one knee, drop to one knee, take a knee, get on knees",
        "kneels down, goes down on one knee, kniet nieder, kniet, s'agenouille, 跪く, ひざまずく",
    ),
    _row(
        "crawl",
        "crawl, creep on all fours, on all fours, hands and knees, move on all fours, creep under",
        "crawls on hands and knees, krabbelt, kriecht, rampe, marche à quatre pattes, 這う, はいはいする",
    ),
    _row(
        "lie_down",
        "~lie, lie down, lay down, sleep, recline, go to bed, take a nap, nap",
        "lies down on the ground, goes to sleep, legt sich hin, schläft, s'allonge, se couche, 横になる, 寝る",
    ),
    _row(
        "fall",
        "fall, fall down, collapse, faint, topple, tumble, ~die, drop dead, trip over",
        "falls to the ground, faints and collapses, fällt hin, stürzt, bricht zusammen, tombe, s'effondre, "
        "倒れる, 転ぶ",
    ),
    _row(
        "wave",
        "wave, ~greet, say hello, say hi, say goodbye, beckon, wave hand, hand side to side, lift hand",
        "waves hello, waves goodbye, greets somebody with a raised hand, winkt, grüßt, "
        "fait signe de la main, salue de la main, 手を振る, 挨拶する",
    ),
    _row(
        "wave_both",
        "wave both, wave two, wave arms, flag down, both arms wave, both hands wave, wave with both, "
        "wave both hands, both arms overhead, wave at ship, swing arms side to side, two hands wave, "
        "wave for help, wave two hands, waves both",
        "waves with both hands, waves both arms above the head, winkt mit beiden Händen, "
        "agite les deux bras, 両手を振る",
    ),
    _row(
        "look_around",
        "look around, look left and right, look about, scan, look left right, glance around, survey, "
        "look over shoulder, take in surroundings, scan area, glance in all directions, glance",
        "looks around, glances in all directions, schaut sich um, regarde autour de soi, 見回す",
    ),
    _row(
        "clap",
        "clap, applaud, clap hands, give a round of applause",
        "claps hands, applauds, klatscht, klatscht in die Hände, applaudit, frappe dans ses mains, 拍手する, "
        "手を叩く",
    ),
    _row(
        "cheer",
        "cheer, celebrate, rejoice, raise both arms, arms up, hooray, ~triumph, throw arms up, pump fist, "
        "throw up both arms, arms in victory, both fists, raise both fists",
        "cheers with both arms up, celebrates a victory, jubelt, feiert den Sieg, se réjouit, "
        "fête la victoire, 喜ぶ, 万歳する, 応援する",
    ),
    _row(
        "point",
        "point, point at, indicate, gesture toward, point finger",
        "points at something, shows the way with a finger, zeigt auf etwas, zeigt mit dem Finger, "
        "montre du doigt, désigne, 指差す, 指をさす",
    ),
    _row(
        "salute",
        "salute, military salute, stand at attention, hand to brow, touch brow",
        "gives a military salute, salutiert, fait le salut militaire, 敬礼する",
    ),
    _row(
        "bow",
        "bow, bow down, take a bow, curtsy, curtsey, bend politely",
        "bows politely, takes a bow, verbeugt sich, s'incline, fait une révérence, お辞儀する, 礼をする",
    ),
    _row(
        "nod",
        "nod, nod head, ~agree, say yes, head up and down, nod yes",
        "nods the head, agrees, nickt, hoche la tête, うなずく",
    ),
    _row(
        "shake_head",
        "shake head, disagree, say no, no with head, head side to side, head left and right",
        "shakes the head, says no, schüttelt den Kopf, secoue la tête, 首を横に振る",
    ),
    _row(
        "shrug",
        "shrug, shrug shoulders, do not know, doesn't know, lift shoulders, raise shoulders, no idea",
        "shrugs the shoulders, zuckt mit den Schultern, hausse les épaules, 肩をすくめる",
    ),
    _row(
        "box",
        "punch, box, jab, ~hit, ~strike, uppercut, shadowbox, throw a punch, ~fight, ~hook, throw jab, "
        "jab and cross, land a combination, punching bag, fists",
        "throws a punch, boxes, hits with the fist, schlägt mit der Faust, boxt, donne un coup de poing, "
        "boxe, 殴る, パンチする, ボクシングをする",
    ),
    _row(
        "kick",
        "kick, kick a ball, roundhouse, karate kick, high kick, strike with foot, boot, foot strike",
        "kicks with the leg, kicks a ball, tritt, kickt, donne un coup de pied, frappe du pied, 蹴る, "
        "キックする",
    ),
    _row(
        "throw",
        "~throw, toss, hurl, ~pitch, ~fling, ~cast, ~lob, ~chuck, ~bowl, throw ball, fling, throw away, "
        "throw something",
        "throws a ball, tosses something away, wirft, wirft einen Ball, lance, jette une balle, 投げる, "
        "ボールを投げる",
    ),
    _row(
        "catch",
        "catch, catch a ball, grab out of the air",
        "catches a ball, fängt einen Ball, attrape, ボールを捕る",
    ),
    _row(
        "pick_up",
        "pick up, ~pick, ~lift, ~gather, ~collect, take from the floor, ~grab, scoop up, lift off ground, "
        "lift off floor, stoop, bend to get, reach down to floor, get off floor, pick from",
        "picks something up from the floor, lifts a box, hebt etwas auf, hebt eine Kiste, ramasse, "
        "soulève une boîte, 拾う, 持ち上げる",
    ),
    _row(
        "put_down",
        "put down, set down, lay down the box, place on the floor, drop off",
        "puts something down, stellt etwas ab, pose quelque chose, 置く",
    ),
    _row(
        "push",
        "push, shove, push away, press against, press hard",
        "pushes a heavy thing, shoves it away, schiebt, drückt, pousse, 押す",
    ),
    _row(
        "pull",
        "pull, ~drag, tug, haul, heave, tow, yank, draw in a net, tug of war",
        "pulls a rope, drags something heavy, zieht, zieht an einem Seil, tire, tire sur une corde, 引く, "
        "引っ張る",
    ),
    _row(
        "reach",
        "reach, reach up, reach for, stretch out a hand, ~grasp, take off a shelf",
        "reaches for something high, greift nach etwas, tend la main, 手を伸ばす",
    ),
    _row(
        "drink",
        "drink, sip, take a sip, have a drink, gulp, toast, empty glass, empty cup, cup to mouth, bottle",
        "drinks from a cup, takes a sip, trinkt, boit, 飲む",
    ),
    _row(
        "eat",
        "eat, take a bite, have a meal, munch",
        "eats an apple, isst, mange, 食べる",
    ),
    _row(
        "phone",
        "phone, ~call, make a call, answer the phone, on the phone, talk on the phone, mobile, telephone, "
        "take a call, cell phone, talk on phone, speak on phone, on phone, talk phone",
        "talks on the phone, telefoniert, téléphone, 電話する",
    ),
    _row(
        "talk",
        "talk, speak, explain, gesticulate, argue, give a speech, tell a story",
        "talks with gestures, gives a speech, spricht, redet, parle, discute, 話す, 演説する",
    ),
    _row(
        "groove_dance",
        "dance, groove, boogie, waltz, ~disco, tango, breakdance, twerk, jive, sway hips, shake hips, "
        "dance party, sway to rhythm, move to the music, sway to music",
        "dances to the music, moves to the beat, tanzt, danse, 踊る, ダンスする",
    ),
    _row(
        "spin",
        "spin, twirl, pirouette, whirl, spin around, turn in a circle, turn around and around",
        "spins around in place, does a pirouette, dreht sich im Kreis, tourne sur soi-même, くるくる回る, "
        "回転する",
    ),
    _row(
        "stretch",
        "stretch, stretch arms, warm up, yawn, limber up, side bend, loosen up, lean to the side, "
        "stretch himself, stretch overhead",
        "stretches the arms, warms up, streckt sich, dehnt sich, s'étire, ストレッチする, 伸びをする",
    ),
    _row(
        "climb",
        "climb, climb a ladder, scale a wall, clamber, climb up",
        "climbs a ladder, klettert, klettert eine Leiter hoch, grimpe, escalade, 登る, はしごを登る",
    ),
    _row(
        "climb_stairs",
        "climb stairs, walk upstairs, go upstairs, up the stairs, up the steps, upstairs, up some steps, "
        "mount stairs, staircase, climb steps, walk up the stairs, ascend, go up steps, stairs",
        "goes up the stairs, steigt die Treppe hinauf, monte les escaliers, 階段を上る, "
        "mounts the staircase, ascends the stairs",
    ),
    _row(
        "sneak",
        "sneak, creep, prowl, steal along, skulk, slink, move quietly, stalk, burglar, walk quietly, steal up",
        "moves stealthily, schleicht, se faufile, 忍び足で歩く, stalks the prey, moves along quietly",
    ),
    _row(
        "march",
        "march, parade, goose step",
        "marches like a soldier, marschiert, marche au pas, défile, 行進する",
    ),
    _row(
        "limp",
        "limp, hobble, drag a foot, favour one leg, favor one leg, bad leg, drag leg, hurt leg, injured leg, "
        "walk injured",
        "limps along with a hurt leg, hinkt, humpelt, boite, 足を引きずって歩く",
    ),
    _row(
        "swing_sword",
        "sword, slash, swing a sword, stab, ~cut, parry, swing a blade, ~swing, ~slice, ~chop, ~hack, "
        "strike with sword, blade, two slashes",
        "swings a sword, slashes with a blade, schwingt ein Schwert, donne un coup d'épée, 剣を振る",
    ),
    _row(
        "block",
        "block, ~defend, ~guard, raise a shield, ~shield, dodge, evade",
        "blocks an attack, dodges a blow, wehrt ab, weicht aus, pare, esquive, 防ぐ, 避ける",
    ),
    _row(
        "cast_spell",
        "cast a spell, conjure, do magic, spell, magic, cast spell, hex, summon, lightning from palms, "
        "sorcery, enchant, fireball",
        "casts a magic spell, zaubert, jette un sort, 魔法をかける",
    ),
    _row(
        "cry",
        "cry, weep, sob, wail, in tears, bury face",
        "cries into the hands, weint, pleure, 泣く",
    ),
    _row(
        "laugh",
        "laugh, giggle, chuckle, crack up, hold stomach, hold belly",
        "laughs out loud, lacht, rit, 笑う",
    ),
    _row(
        "think",
        "think, ponder, scratch head, ~wonder, ~consider, reflect, chin in hand, hand on chin, "
        "lost in thought",
        "thinks hard, denkt nach, réfléchit, 考える",
    ),
    _row(
        "cross_arms",
        "cross arms, fold arms",
        "crosses the arms, verschränkt die Arme, croise les bras, 腕を組む",
    ),
    _row(
        "cartwheel",
        "cartwheel",
        "does a cartwheel, schlägt ein Rad, fait la roue, 側転する",
    ),
    _row(
        "balance",
        "balance, stand on one leg, tightrope, walk a tightrope, stand on one foot",
        "balances on one leg, balanciert, tient en équilibre, バランスを取る",
    ),
    _row(
        "lunge",
        "lunge",
        "does lunges, macht Ausfallschritte, fait des fentes, ランジをする",
    ),
    _row(
        "push_ups",
        "push up, push ups, pushups, pushup, press up, press ups",
        "does push-ups on the floor, macht Liegestütze, fait des pompes, 腕立て伏せをする",
    ),
    _row(
        "sit_ups",
        "sit up, sit ups, situps, crunches",
        "does sit-ups, macht Sit-ups, fait des abdos, 腹筋をする",
    ),
    _row(
        "guitar",
        "play guitar, play the guitar, strum, guitar, lute, pick strings, jam",
        "plays the guitar, spielt Gitarre, joue de la guitare, ギターを弾く",
    ),
    _row(
        "swim",
        "swim, swim breaststroke",
        "swims, schwimmt, nage, 泳ぐ",
    ),
    _row(
        "row",
        "row, row a boat, paddle",
        "rows a boat, rudert, rame, ボートを漕ぐ",
    ),
    _row(
        "dig",
        "dig, shovel, dig a hole",
        "digs a hole with a shovel, gräbt, creuse, 掘る",
    ),
    _row(
        "hammer",
        "hammer, hammer a nail, pound",
        "hammers a nail, hämmert, martèle, ハンマーで打つ",
    ),
    _row(
        "sweep",
        "sweep, sweep the floor, mop",
        "sweeps the floor, fegt, balaie, 掃く",
    ),
    _row(
        "golf",
        "golf, golfer, swing a golf club, tee off, golf ball, golf club",
        "plays golf, takes a golf swing, spielt Golf, joue au golf, ゴルフをする",
    ),
    _row(
        "shoot_bow",
        "~shoot, ~aim, ~fire, shoot a bow, shoot an arrow, bow and arrow, archery, archer, loose an arrow, "
        "shoot arrow, draw a bow, bowman",
        "shoots with a bow, schießt, tire à l'arc, 撃つ, practises archery, schießt einen Pfeil, "
        "tire une flèche, 弓を射る",
    ),
    _row(
        "roll",
        "roll, somersault, forward roll",
        "does a forward roll, macht einen Purzelbaum, fait une roulade, 前転する",
    ),
    _row(
        "pray",
        "pray, fold hands, worship, prayer, palms together, join hands",
        "prays, betet, prie, 祈る",
    ),
    _row(
        "carry",
        "carry, carry a box, ~bear",
        "carries a box, trägt eine Kiste, porte une boîte, 運ぶ",
    ),
    _row(
        "conduct",
        "conduct, conduct an orchestra",
        "conducts an orchestra, dirigiert, dirige un orchestre, 指揮する",
    ),
    _row(
        "turn",
        "turn left, turn right, turn to left, turn to right, quarter turn, swivel, left turn, right turn, "
        "rotate left, rotate right, pivot left, pivot right",
        "makes a quarter turn, turns to the left, turns to the right, biegt links ab, "
        "dreht sich nach rechts, tourne à gauche, 右を向く, 左を向く",
    ),
    _row(
        "walk_curve",
        "walk circle, walk in a circle, walk in a curve, walk curve, circle around, walk around in circles, "
        "curved path, walk in a bend, walk arc, go in a circle, round a corner, circle",
        "walks in a circle, follows a curved path, geht im Kreis, marche en rond, 円を描いて歩く",
    ),
    _row(
        "pace",
        "pace, walk to and fro, walk back and forth, pace up and down, walk up and down, go up and down, "
        "walk away and return, walk there and back",
        "paces up and down, walks back and forth, geht auf und ab, fait les cent pas, 行ったり来たりする",
    ),
    _row(
        "walk_and_stop",
        "halt, walk and stop, stop in tracks, walk stop, come to a halt, stop walking, stop suddenly, "
        "stop dead",
        "stops walking, halts abruptly, bleibt stehen, s'arrête net, 立ち止まる",
    ),
    _row(
        "jog",
        "jog, light run, run gentle pace, run easily, trot, run slowly, go for a run",
        "goes jogging, joggt, fait du jogging, trottine, ジョギングする",
    ),
    _row(
        "jog_in_place",
        "jog in place, run in place, jog on the spot, run on the spot, run while staying, jog on spot",
        "runs in place, joggt auf der Stelle, court sur place, その場で走る",
    ),
    _row(
        "tiptoe",
        "tiptoe, tip toe, on tiptoes, balls of feet, without heels, on toes",
        "walks on tiptoe, geht auf Zehenspitzen, marche sur la pointe des pieds, つま先で歩く",
    ),
    _row(
        "crouch_walk",
        "crouch walk, walk crouched, duck walk, waddle, stay low, walk low, walk bent, crouch forward, "
        "crouched walk, move crouched, walk with bent knees",
        "walks crouched, waddles like a duck, geht gebückt, marche accroupi, かがんで歩く",
    ),
    _row(
        "stagger",
        "stagger, stumble, lurch, reel, sway along, hardly walk straight, zombie, walk unsteadily, totter, "
        "wobble",
        "staggers, can hardly walk straight, lurches along, taumelt, torkelt, titube, chancelle, よろめく, "
        "よろよろ歩く",
    ),
    _row(
        "jump_forward",
        "jump forward, jump ahead, long jump, jump across, bound ahead, jump over, broad jump, "
        "jump forwards, leap forward",
        "jumps forward, springt nach vorn, saute en avant, 前に跳ぶ",
    ),
    _row(
        "leap",
        "leap, bound over, ~bound, clear a ditch, ~vault, hurdle, run and jump, running jump, leap over",
        "leaps over a ditch, springt über einen Graben, macht einen Satz, bondit par-dessus, 飛び越える",
    ),
    _row(
        "skip",
        "skip, hop and step, hop and a step, skip along, skip down",
        "skips along the road, hüpft fröhlich dahin, gambade, スキップする",
    ),
    _row(
        "gallop",
        "gallop, canter, ride a horse, like a horse, pretend ride",
        "gallops like a horse, galoppiert, galope, ギャロップする",
    ),
    _row(
        "side_step_dance",
        "side step dance, dance side, dance sideways, two step, step touch, dance side to side, step beat, "
        "step music, shuffle disco, shuffle to the music",
        "dances from side to side, does a two-step, tanzt hin und her, danse de côté, 横にステップして踊る",
    ),
    _row(
        "lift",
        "lift weight, lift overhead, weightlift, lift barbell, barbell, clean and press, lift heavy, "
        "raise rock over, raise over head, heave up, hoist, lift weights, lift over head, dumbbell, "
        "over his head, over her head, above his head, above her head, overhead",
        "lifts a heavy weight overhead, presses a barbell, stemmt Gewichte, soulève des haltères, "
        "バーベルを持ち上げる",
    ),
    _row(
        "swing_bat",
        "swing a bat, baseball bat, ~bat, swing a racket, tennis",
        "swings a baseball bat, schwingt einen Schläger",
    ),
    _row(
        "sit",
        "sit still, sit and wait, remain seated, stay seated, sit quietly, rest in armchair, stay in seat, "
        "is seated, wait on chair, sit with hands, keep sitting",
        "is sitting on a chair, sits still, sitzt auf einem Stuhl, est assis, 座っている",
    ),
    _row(
        "get_up",
        "get up from floor, get up off ground, rise from floor, get up off floor, get back up, "
        "get up from ground, rise from ground, stand up from floor, get back on feet, back on feet",
        "gets up from the floor, rises from the ground, steht vom Boden auf, se relève, 起き上がる",
    ),
    _row(
        "rise_from_knee",
        "rise from knee, get up from knee, stand up from kneeling, rise from kneeling, get off knee, "
        "up from one knee",
        "gets up from one knee, rises after kneeling, erhebt sich vom Knie, se relève du genou",
    ),
    _row(
        "hands_on_hips",
        "hands on hips, hand on hip, hands on waist, arms akimbo, hands on her waist, elbows out, akimbo",
        "puts the hands on the hips, stemmt die Hände in die Hüften, met les mains sur les hanches, "
        "腰に手を当てる",
    ),
    _row(
        "blow_kiss",
        "blow a kiss, blow kiss, throw a kiss, send kisses, kiss goodbye, toss a kiss, blow kisses, "
        "blow him a kiss, blow her a kiss",
        "blows a kiss, wirft eine Kusshand, envoie un baiser, 投げキッスをする",
    ),
    _row(
        "cower",
        "cower, flinch, cover head, protect head, shield face, recoil, hide his face, hide her face, "
        "take cover, cringe, duck and cover",
        "cowers in fear, covers the head with both arms, duckt sich, se recroqueville, 身をすくめる",
    ),
)  # fmt: skip
ACTION_WORDS: Mapping[str, ActionWords] = MappingProxyType({row.name: row for row in _ROWS})
