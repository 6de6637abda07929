"""The words of actions that are done in one place: gestures, sports, work, feelings."""

from __future__ import annotations

from backend.words.action_row import row

DOING = (
    row(
        "jumping_jacks",
        "jumping jack, jumping jacks, star jump, star jumps, jump jack, straddle hop, "
        "jump with arms and legs spread",
        "does jumping jacks, macht Hampelmänner, fait des jumping jacks, ジャンピングジャックをする",
    ),
    row(
        "squat",
        "squat, crouch, knee bend, knee bends, ~duck, hunker, bend knees, deep knees",
        "does squats, bends the knees deeply, geht in die Hocke, macht Kniebeugen, s'accroupit, "
        "fait des squats, しゃがむ, スクワットをする",
    ),
    row(
        "wave",
        "wave, ~greet, say hello, say hi, say goodbye, beckon, wave hand, hand side to side, lift hand",
        "waves hello, waves goodbye, greets somebody with a raised hand, winkt, grüßt, "
        "fait signe de la main, salue de la main, 手を振る, 挨拶する",
    ),
    row(
        "wave_both",
        "wave both, wave two, wave arms, flag down, both arms wave, both hands wave, wave with both, "
        "wave both hands, both arms overhead, wave at ship, swing arms side to side, two hands wave, "
        "wave for help, wave two hands, waves both",
        "waves with both hands, waves both arms above the head, winkt mit beiden Händen, "
        "agite les deux bras, 両手を振る",
    ),
    row(
        "look_around",
        "look around, look left and right, look about, scan, look left right, glance around, survey, "
        "look over shoulder, take in surroundings, scan area, glance in all directions, glance",
        "looks around, glances in all directions, schaut sich um, regarde autour de soi, 見回す",
    ),
    row(
        "clap",
        "clap, applaud, clap hands, give a round of applause",
        "claps hands, applauds, klatscht, klatscht in die Hände, applaudit, frappe dans ses mains, 拍手する, "
        "手を叩く",
    ),
    row(
        "cheer",
        "cheer, celebrate, rejoice, raise both arms, arms up, hooray, ~triumph, throw arms up, pump fist, "
        "throw up both arms, arms in victory, both fists, raise both fists",
        "cheers with both arms up, celebrates a victory, jubelt, feiert den Sieg, se réjouit, "
        "fête la victoire, 喜ぶ, 万歳する, 応援する",
    ),
    row(
        "point",
        "point, point at, indicate, gesture toward, point finger",
        "points at something, shows the way with a finger, zeigt auf etwas, zeigt mit dem Finger, "
        "montre du doigt, désigne, 指差す, 指をさす",
    ),
    row(
        "salute",
        "salute, military salute, stand at attention, hand to brow, touch brow",
        "gives a military salute, salutiert, fait le salut militaire, 敬礼する",
    ),
    row(
        "bow",
        "bow, bow down, take a bow, curtsy, curtsey, bend politely",
        "bows politely, takes a bow, verbeugt sich, s'incline, fait une révérence, お辞儀する, 礼をする",
    ),
    row(
        "nod",
        "nod, nod head, ~agree, say yes, head up and down, nod yes",
        "nods the head, agrees, nickt, hoche la tête, うなずく",
    ),
    row(
        "shake_head",
        "shake head, disagree, say no, no with head, head side to side, head left and right",
        "shakes the head, says no, schüttelt den Kopf, secoue la tête, 首を横に振る",
    ),
    row(
        "shrug",
        "shrug, shrug shoulders, do not know, doesn't know, lift shoulders, raise shoulders, no idea",
        "shrugs the shoulders, zuckt mit den Schultern, hausse les épaules, 肩をすくめる",
    ),
    row(
        "box",
        "punch, box, jab, ~hit, ~strike, uppercut, shadowbox, throw a punch, ~fight, ~hook, throw jab, "
        "jab and cross, land a combination, punching bag, fists",
        "throws a punch, boxes, hits with the fist, schlägt mit der Faust, boxt, donne un coup de poing, "
        "boxe, 殴る, パンチする, ボクシングをする",
    ),
    row(
        "kick",
        "kick, kick a ball, roundhouse, karate kick, high kick, strike with foot, boot, foot strike",
        "kicks with the leg, kicks a ball, tritt, kickt, donne un coup de pied, frappe du pied, 蹴る, "
        "キックする",
    ),
    row(
        "throw",
        "~throw, toss, hurl, ~pitch, ~fling, ~cast, ~lob, ~chuck, ~bowl, throw ball, fling, throw away, "
        "throw something",
        "throws a ball, tosses something away, wirft, wirft einen Ball, lance, jette une balle, 投げる, "
        "ボールを投げる",
    ),
    row(
        "catch",
        "catch, catch a ball, grab out of the air",
        "catches a ball, fängt einen Ball, attrape, ボールを捕る",
    ),
    row(
        "pick_up",
        "pick up, ~pick, ~lift, ~gather, ~collect, take from the floor, ~grab, scoop up, lift off ground, "
        "lift off floor, stoop, bend to get, reach down to floor, get off floor, pick from",
        "picks something up from the floor, lifts a box, hebt etwas auf, hebt eine Kiste, ramasse, "
        "soulève une boîte, 拾う, 持ち上げる",
    ),
    row(
        "put_down",
        "put down, set down, lay down the box, place on the floor, drop off",
        "puts something down, stellt etwas ab, pose quelque chose, 置く",
    ),
    row(
        "push",
        "push, shove, push away, press against, press hard",
        "pushes a heavy thing, shoves it away, schiebt, drückt, pousse, 押す",
    ),
    row(
        "pull",
        "pull, ~drag, tug, haul, heave, tow, yank, draw in a net, tug of war",
        "pulls a rope, drags something heavy, zieht, zieht an einem Seil, tire, tire sur une corde, 引く, "
        "引っ張る",
    ),
    row(
        "reach",
        "reach, reach up, reach for, stretch out a hand, ~grasp, take off a shelf",
        "reaches for something high, greift nach etwas, tend la main, 手を伸ばす",
    ),
    row(
        "drink",
        "drink, sip, take a sip, have a drink, gulp, toast, empty glass, empty cup, cup to mouth, bottle",
        "drinks from a cup, takes a sip, trinkt, boit, 飲む",
    ),
    row(
        "eat",
        "eat, take a bite, have a meal, munch",
        "eats an apple, isst, mange, 食べる",
    ),
    row(
        "phone",
        "phone, ~call, make a call, answer the phone, on the phone, talk on the phone, mobile, telephone, "
        "take a call, cell phone, talk on phone, speak on phone, on phone, talk phone",
        "talks on the phone, telefoniert, téléphone, 電話する",
    ),
    row(
        "talk",
        "talk, speak, explain, gesticulate, argue, give a speech, tell a story",
        "talks with gestures, gives a speech, spricht, redet, parle, discute, 話す, 演説する",
    ),
    row(
        "groove_dance",
        "dance, groove, boogie, waltz, ~disco, tango, breakdance, twerk, jive, sway hips, shake hips, "
        "dance party, sway to rhythm, move to the music, sway to music",
        "dances to the music, moves to the beat, tanzt, danse, 踊る, ダンスする",
    ),
    row(
        "spin",
        "spin, twirl, pirouette, whirl, spin around, turn in a circle, turn around and around",
        "spins around in place, does a pirouette, dreht sich im Kreis, tourne sur soi-même, くるくる回る, "
        "回転する",
    ),
    row(
        "stretch",
        "stretch, stretch arms, warm up, yawn, limber up, side bend, loosen up, lean to the side, "
        "stretch himself, stretch overhead",
        "stretches the arms, warms up, streckt sich, dehnt sich, s'étire, ストレッチする, 伸びをする",
    ),
    row(
        "swing_sword",
        "sword, slash, swing a sword, stab, ~cut, parry, swing a blade, ~swing, ~slice, ~chop, ~hack, "
        "strike with sword, blade, two slashes",
        "swings a sword, slashes with a blade, schwingt ein Schwert, donne un coup d'épée, 剣を振る",
    ),
    row(
        "block",
        "block, ~defend, ~guard, raise a shield, ~shield, dodge, evade",
        "blocks an attack, dodges a blow, wehrt ab, weicht aus, pare, esquive, 防ぐ, 避ける",
    ),
    row(
        "cast_spell",
        "cast a spell, conjure, do magic, spell, magic, cast spell, hex, summon, lightning from palms, "
        "sorcery, enchant, fireball",
        "casts a magic spell, zaubert, jette un sort, 魔法をかける",
    ),
    row(
        "cry",
        "cry, weep, sob, wail, in tears, bury face",
        "cries into the hands, weint, pleure, 泣く",
    ),
    row(
        "laugh",
        "laugh, giggle, chuckle, crack up, hold stomach, hold belly",
        "laughs out loud, lacht, rit, 笑う",
    ),
    row(
        "think",
        "think, ponder, scratch head, ~wonder, ~consider, reflect, chin in hand, hand on chin, "
        "lost in thought",
        "thinks hard, denkt nach, réfléchit, 考える",
    ),
    row(
        "cross_arms",
        "cross arms, fold arms",
        "crosses the arms, verschränkt die Arme, croise les bras, 腕を組む",
    ),
    row(
        "cartwheel",
        "cartwheel",
        "does a cartwheel, schlägt ein Rad, fait la roue, 側転する",
    ),
    row(
        "balance",
        "balance, stand on one leg, tightrope, walk a tightrope, stand on one foot",
        "balances on one leg, balanciert, tient en équilibre, バランスを取る",
    ),
    row(
        "lunge",
        "lunge",
        "does lunges, macht Ausfallschritte, fait des fentes, ランジをする",
    ),
    row(
        "push_ups",
        "push up, push ups, pushups, pushup, press up, press ups",
        "does push-ups on the floor, macht Liegestütze, fait des pompes, 腕立て伏せをする",
    ),
    row(
        "sit_ups",
        "sit up, sit ups, situps, crunches",
        "does sit-ups, macht Sit-ups, fait des abdos, 腹筋をする",
    ),
    row(
        "guitar",
        "play guitar, play the guitar, strum, guitar, lute, pick strings, jam",
        "plays the guitar, spielt Gitarre, joue de la guitare, ギターを弾く",
    ),
    row(
        "row",
        "row, row a boat, paddle",
        "rows a boat, rudert, rame, ボートを漕ぐ",
    ),
    row(
        "dig",
        "dig, shovel, dig a hole",
        "digs a hole with a shovel, gräbt, creuse, 掘る",
    ),
    row(
        "hammer",
        "hammer, hammer a nail, pound",
        "hammers a nail, hämmert, martèle, ハンマーで打つ",
    ),
    row(
        "sweep",
        "sweep, sweep the floor, mop",
        "sweeps the floor, fegt, balaie, 掃く",
    ),
    row(
        "golf",
        "golf, golfer, swing a golf club, tee off, golf ball, golf club",
        "plays golf, takes a golf swing, spielt Golf, joue au golf, ゴルフをする",
    ),
    row(
        "shoot_bow",
        "~shoot, ~aim, ~fire, shoot a bow, shoot an arrow, bow and arrow, archery, archer, loose an arrow, "
        "shoot arrow, draw a bow, bowman",
        "shoots with a bow, schießt, tire à l'arc, 撃つ, practises archery, schießt einen Pfeil, "
        "tire une flèche, 弓を射る",
    ),
    row(
        "pray",
        "pray, fold hands, worship, prayer, palms together, join hands",
        "prays, betet, prie, 祈る",
    ),
    row(
        "carry",
        "carry, carry a box, ~bear",
        "carries a box, trägt eine Kiste, porte une boîte, 運ぶ",
    ),
    row(
        "conduct",
        "conduct, conduct an orchestra",
        "conducts an orchestra, dirigiert, dirige un orchestre, 指揮する",
    ),
    row(
        "side_step_dance",
        "side step dance, dance side, dance sideways, two step, step touch, dance side to side, step beat, "
        "step music, shuffle disco, shuffle to the music",
        "dances from side to side, does a two-step, tanzt hin und her, danse de côté, 横にステップして踊る",
    ),
    row(
        "lift",
        "lift weight, lift overhead, weightlift, lift barbell, barbell, clean and press, lift heavy, "
        "raise rock over, raise over head, heave up, hoist, lift weights, lift over head, dumbbell, "
        "over his head, over her head, above his head, above her head, overhead",
        "lifts a heavy weight overhead, presses a barbell, stemmt Gewichte, soulève des haltères, "
        "バーベルを持ち上げる",
    ),
    row(
        "swing_bat",
        "swing a bat, baseball bat, ~bat, swing a racket, tennis",
        "swings a baseball bat, schwingt einen Schläger",
    ),
    row(
        "hands_on_hips",
        "hands on hips, hand on hip, hands on waist, arms akimbo, hands on her waist, elbows out, akimbo",
        "puts the hands on the hips, stemmt die Hände in die Hüften, met les mains sur les hanches, "
        "腰に手を当てる",
    ),
    row(
        "blow_kiss",
        "blow a kiss, blow kiss, throw a kiss, send kisses, kiss goodbye, toss a kiss, blow kisses, "
        "blow him a kiss, blow her a kiss",
        "blows a kiss, wirft eine Kusshand, envoie un baiser, 投げキッスをする",
    ),
    row(
        "cower",
        "cower, flinch, cover head, protect head, shield face, recoil, hide his face, hide her face, "
        "take cover, cringe, duck and cover",
        "cowers in fear, covers the head with both arms, duckt sich, se recroqueville, 身をすくめる",
    ),
)  # fmt: skip
