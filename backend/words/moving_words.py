"""The words of actions that move the body about: walking, jumping, sitting down, getting up."""

from __future__ import annotations

from backend.words.action_row import row

MOVING = (
    row(
        "idle",
        "~stand, stand still, ~wait, idle, pose, ~rest, ~stay, ~remain, do nothing, just stand",
        "stands still, waits in place, does nothing, steht still, wartet, reste debout, attend, 立っている, "
        "待つ, hangs about",
    ),
    row(
        "walk",
        "walk, stroll, amble, wander, step forward, step forwards, ~go, hike, trudge, saunter, ~stride, "
        "shuffle, shuffle forward, plod, march on",
        "walks forward, takes a stroll, goes for a walk, moves ahead on foot, geht, läuft gemütlich, "
        "spaziert, marche, se promène, 歩く, 散歩する",
    ),
    row(
        "walk_backward",
        "walk back, walk backward, walk backwards, back away, back up, step back, step backward, "
        "step backwards, reverse, retreat, backpedal, go backward, go backwards, walk reverse, "
        "move backward, move backwards, step reverse, back off",
        "walks backwards, moves backwards, geht rückwärts, marche à reculons, recule, 後ろ向きに歩く, "
        "後ずさりする",
    ),
    row(
        "sidestep",
        "sidestep, side step, step side, step sideways, walk sideways, shuffle sideways, sidle, "
        "step to the side, go left without turning, go right without turning, scoot over, step left, "
        "step right, step to left, step to right, walk left, walk right, side steps",
        "moves sideways, steps to the side, geht seitwärts, fait un pas de côté, 横に歩く",
    ),
    row(
        "turn_around",
        "turn, turn around, turn round, rotate, face the other way, about face, 180 degrees, turn back, "
        "face backwards, spin on heel, turn on heel",
        "turns around, faces the other way, looks behind, dreht sich um, se retourne, fait demi-tour, "
        "振り返る, 向きを変える",
    ),
    row(
        "run",
        "run, sprint, rush, dash, hurry, ~race, flee, ~charge",
        "runs fast, hurries away, rennt, court, 走る, speeds along on foot, runs ahead, sprints off, "
        "läuft schnell weg",
    ),
    row(
        "jump",
        "jump, spring up, bounce off the ground, jump up, jump high, jump in place, spring upwards",
        "jumps into the air, leaps up, springt, springt hoch, saute, bondit, 跳ぶ, ジャンプする",
    ),
    row(
        "hop",
        "hop, hop one leg, hopscotch, hop along",
        "hops on one leg, bounces on one foot, hüpft, hüpft auf einem Bein, saute à cloche-pied, sautille, "
        "片足で跳ねる",
    ),
    row(
        "sit_down",
        "sit down, take a seat, have a seat, sit, settle into chair, take place, onto a chair, be seated, "
        "perch",
        "sits down on a chair, takes a seat, setzt sich, s'assied, s'assoit, 座る, 椅子に座る",
    ),
    row(
        "stand_up",
        "stand up, ~rise, arise, rise to feet, leave chair, get to feet, rise from, get up, "
        "get up from chair, get up from seat, stand up from",
        "gets up from a chair, rises to the feet, steht auf, se lève, 立ち上がる",
    ),
    row(
        "kneel",
        "kneel, kneel down, genuflect, go down on one knee, drop to one knee, take a knee, get on knees",
        "kneels down, goes down on one knee, kniet nieder, kniet, s'agenouille, 跪く, ひざまずく",
    ),
    row(
        "crawl",
        "crawl, creep on all fours, on all fours, hands and knees, move on all fours, creep under",
        "crawls on hands and knees, krabbelt, kriecht, rampe, marche à quatre pattes, 這う, はいはいする",
    ),
    row(
        "lie_down",
        "~lie, lie down, lay down, sleep, recline, go to bed, take a nap, nap",
        "lies down on the ground, goes to sleep, legt sich hin, schläft, s'allonge, se couche, 横になる, 寝る",
    ),
    row(
        "fall",
        "fall, fall down, collapse, faint, topple, tumble, ~die, drop dead, trip over",
        "falls to the ground, faints and collapses, fällt hin, stürzt, bricht zusammen, tombe, s'effondre, "
        "倒れる, 転ぶ",
    ),
    row(
        "climb",
        "climb, climb a ladder, scale a wall, clamber, climb up",
        "climbs a ladder, klettert, klettert eine Leiter hoch, grimpe, escalade, 登る, はしごを登る",
    ),
    row(
        "climb_stairs",
        "climb stairs, walk upstairs, go upstairs, up the stairs, up the steps, upstairs, up some steps, "
        "mount stairs, staircase, climb steps, walk up the stairs, ascend, go up steps, stairs",
        "goes up the stairs, steigt die Treppe hinauf, monte les escaliers, 階段を上る, "
        "mounts the staircase, ascends the stairs",
    ),
    row(
        "sneak",
        "sneak, creep, prowl, steal along, skulk, slink, move quietly, stalk, burglar, walk quietly, steal up",
        "moves stealthily, schleicht, se faufile, 忍び足で歩く, stalks the prey, moves along quietly",
    ),
    row(
        "march",
        "march, parade, goose step",
        "marches like a soldier, marschiert, marche au pas, défile, 行進する",
    ),
    row(
        "limp",
        "limp, hobble, drag a foot, favour one leg, favor one leg, bad leg, drag leg, hurt leg, injured leg, "
        "walk injured",
        "limps along with a hurt leg, hinkt, humpelt, boite, 足を引きずって歩く",
    ),
    row(
        "swim",
        "swim, swim breaststroke",
        "swims, schwimmt, nage, 泳ぐ",
    ),
    row(
        "roll",
        "roll, somersault, forward roll",
        "does a forward roll, macht einen Purzelbaum, fait une roulade, 前転する",
    ),
    row(
        "turn",
        "turn left, turn right, turn to left, turn to right, quarter turn, swivel, left turn, right turn, "
        "rotate left, rotate right, pivot left, pivot right",
        "makes a quarter turn, turns to the left, turns to the right, biegt links ab, "
        "dreht sich nach rechts, tourne à gauche, 右を向く, 左を向く",
    ),
    row(
        "walk_curve",
        "walk circle, walk in a circle, walk in a curve, walk curve, circle around, walk around in circles, "
        "curved path, walk in a bend, walk arc, go in a circle, round a corner, circle",
        "walks in a circle, follows a curved path, geht im Kreis, marche en rond, 円を描いて歩く",
    ),
    row(
        "pace",
        "pace, walk to and fro, walk back and forth, pace up and down, walk up and down, go up and down, "
        "walk away and return, walk there and back",
        "paces up and down, walks back and forth, geht auf und ab, fait les cent pas, 行ったり来たりする",
    ),
    row(
        "walk_and_stop",
        "halt, walk and stop, stop in tracks, walk stop, come to a halt, stop walking, stop suddenly, "
        "stop dead",
        "stops walking, halts abruptly, bleibt stehen, s'arrête net, 立ち止まる",
    ),
    row(
        "jog",
        "jog, light run, run gentle pace, run easily, trot, run slowly, go for a run",
        "goes jogging, joggt, fait du jogging, trottine, ジョギングする",
    ),
    row(
        "jog_in_place",
        "jog in place, run in place, jog on the spot, run on the spot, run while staying, jog on spot",
        "runs in place, joggt auf der Stelle, court sur place, その場で走る",
    ),
    row(
        "tiptoe",
        "tiptoe, tip toe, on tiptoes, balls of feet, without heels, on toes",
        "walks on tiptoe, geht auf Zehenspitzen, marche sur la pointe des pieds, つま先で歩く",
    ),
    row(
        "crouch_walk",
        "crouch walk, walk crouched, duck walk, waddle, stay low, walk low, walk bent, crouch forward, "
        "crouched walk, move crouched, walk with bent knees",
        "walks crouched, waddles like a duck, geht gebückt, marche accroupi, かがんで歩く",
    ),
    row(
        "stagger",
        "stagger, stumble, lurch, reel, sway along, hardly walk straight, zombie, walk unsteadily, totter, "
        "wobble",
        "staggers, can hardly walk straight, lurches along, taumelt, torkelt, titube, chancelle, よろめく, "
        "よろよろ歩く",
    ),
    row(
        "jump_forward",
        "jump forward, jump ahead, long jump, jump across, bound ahead, jump over, broad jump, "
        "jump forwards, leap forward",
        "jumps forward, springt nach vorn, saute en avant, 前に跳ぶ",
    ),
    row(
        "leap",
        "leap, bound over, ~bound, clear a ditch, ~vault, hurdle, run and jump, running jump, leap over",
        "leaps over a ditch, springt über einen Graben, macht einen Satz, bondit par-dessus, 飛び越える",
    ),
    row(
        "skip",
        "skip, hop and step, hop and a step, skip along, skip down",
        "skips along the road, hüpft fröhlich dahin, gambade, スキップする",
    ),
    row(
        "gallop",
        "gallop, canter, ride a horse, like a horse, pretend ride",
        "gallops like a horse, galoppiert, galope, ギャロップする",
    ),
    row(
        "sit",
        "sit still, sit and wait, remain seated, stay seated, sit quietly, rest in armchair, stay in seat, "
        "is seated, wait on chair, sit with hands, keep sitting",
        "is sitting on a chair, sits still, sitzt auf einem Stuhl, est assis, 座っている",
    ),
    row(
        "get_up",
        "get up from floor, get up off ground, rise from floor, get up off floor, get back up, "
        "get up from ground, rise from ground, stand up from floor, get back on feet, back on feet",
        "gets up from the floor, rises from the ground, steht vom Boden auf, se relève, 起き上がる",
    ),
    row(
        "rise_from_knee",
        "rise from knee, get up from knee, stand up from kneeling, rise from kneeling, get off knee, "
        "up from one knee",
        "gets up from one knee, rises after kneeling, erhebt sich vom Knie, se relève du genou",
    ),
)  # fmt: skip
