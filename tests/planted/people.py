"""The people: one for each thing that is special about names."""

from __future__ import annotations

from tests.planted.spelling import Person

PHYSICIAN, BIRTH, NUMBER = b"ROSSETTI^CARLO", b"19610503", b"PX-77120Q4"

PEOPLE = (
    Person(
        "plain", "", "ascii", "DOE^JANE",
        (
            "DOE^JANE", "DOE JANE", "DOE, JANE", "DOE,JANE", "JANE DOE", "JANE^DOE", "DOE_JANE", "DOEJANE", "DOE",
            "JANE",
        ),
        ("doe^jane", "Doe, Jane", "Jane Doe", "jane.doe"),
    ),
    Person(
        "long double family", "ISO_IR 100", "latin-1", "WOLFESCHLEGELSTEINHAUSEN BERGERDORFF^HUBERT BLAINE",
        (
            "WOLFESCHLEGELSTEINHAUSEN BERGERDORFF^HUBERT BLAINE", "WOLFESCHLEGELSTEINHAUSEN BERGERDORFF",
            "HUBERT BLAINE WOLFESCHLEGELSTEINHAUSEN BERGERDORFF", "HUBERT BLAINE", "WOLFESCHLEGELSTEINHAUSEN",
            "BERGERDORFF, HUBERT BLAINE", "WOLFESCHLEGELSTEINHAUSEN_BERGERDORFF_HUBERT_BLAINE",
        ),
        ("Wolfeschlegelsteinhausen Bergerdorff, Hubert Blaine", "bergerdorff", "Hubert Blaine"),
    ),
    Person(
        "umlauts", "ISO_IR 100", "latin-1", "MÜLLER^JÖRG",
        ("MÜLLER^JÖRG", "MÜLLER JÖRG", "MÜLLER, JÖRG", "JÖRG MÜLLER", "MÜLLER", "JÖRG"),
        (
            "Müller, Jörg", "müller^jörg", "Jörg Müller", "MULLER^JORG", "MUELLER^JOERG", "Mueller, Joerg",
            "Joerg Mueller", "MULLER", "MUELLER", "JORG", "JOERG", "mueller",
        ),
    ),
    Person(
        "sharp s", "ISO_IR 100", "latin-1", "Großstraß^Käthe",
        ("Großstraß^Käthe", "Großstraß, Käthe", "Käthe Großstraß", "Großstraß", "Käthe"),
        (
            "GROSSSTRASS^KAETHE", "Grossstrass, Kaethe", "GROSSSTRASS", "Grossstrass", "KATHE", "KÄTHE",
            "GROSSSTRASS^KÄTHE",
        ),
    ),
    Person(
        "apostrophe", "", "ascii", "O'BRIEN^SIOBHAN",
        ("O'BRIEN^SIOBHAN", "O'BRIEN SIOBHAN", "O'BRIEN, SIOBHAN", "SIOBHAN O'BRIEN", "O'BRIEN", "SIOBHAN"),
        ("O'Brien, Siobhan", "o'brien^siobhan", "OBRIEN^SIOBHAN", "OBRIEN", "Siobhan OBrien", "O_BRIEN"),
    ),
    Person(
        "typographic apostrophe", "ISO_IR 192", "utf-8", "D\u2019ARVERS^FÉLICITÉ",
        (
            "D\u2019ARVERS^FÉLICITÉ", "D\u2019ARVERS, FÉLICITÉ", "FÉLICITÉ D\u2019ARVERS", "D\u2019ARVERS",
            "FÉLICITÉ",
        ),
        ("D\u2019Arvers, Félicité", "DARVERS^FELICITE", "D'ARVERS^FELICITE", "D'Arvers", "FELICITE"),
    ),
    Person(
        "hyphens", "ISO_IR 100", "latin-1", "SMITH-JONES^MARY-ANN",
        (
            "SMITH-JONES^MARY-ANN", "SMITH-JONES MARY-ANN", "SMITH-JONES, MARY-ANN", "MARY-ANN SMITH-JONES",
            "SMITH-JONES", "SMITH JONES", "SMITH", "JONES", "MARY-ANN", "MARY ANN", "SMITHJONES",
        ),
        ("Smith-Jones, Mary-Ann", "smith_jones_mary_ann", "Mary Ann Smith Jones"),
    ),
    Person(
        "particles", "ISO_IR 100", "latin-1", "VAN DER BERG^PIETER",
        (
            "VAN DER BERG^PIETER", "VAN DER BERG PIETER", "VAN DER BERG, PIETER", "PIETER VAN DER BERG",
            "VAN DER BERG", "PIETER", "VANDERBERG", "VAN_DER_BERG", "BERG",
        ),
        ("van der Berg, Pieter", "Pieter van der Berg", "vanderberg^pieter"),
    ),
    Person(
        "French accents", "ISO_IR 100", "latin-1", "LEFÈVRE-GARÇON^ÉLODIE",
        ("LEFÈVRE-GARÇON^ÉLODIE", "LEFÈVRE-GARÇON, ÉLODIE", "ÉLODIE LEFÈVRE-GARÇON", "LEFÈVRE-GARÇON", "ÉLODIE"),
        ("Lefèvre-Garçon, Élodie", "LEFEVRE-GARCON^ELODIE", "Lefevre Garcon", "LEFEVRE", "ELODIE", "élodie"),
    ),
    Person(
        "Spanish accents", "ISO_IR 100", "latin-1", "NÚÑEZ IBÁÑEZ^MARÍA JOSÉ",
        ("NÚÑEZ IBÁÑEZ^MARÍA JOSÉ", "NÚÑEZ IBÁÑEZ, MARÍA JOSÉ", "MARÍA JOSÉ NÚÑEZ IBÁÑEZ", "NÚÑEZ", "MARÍA JOSÉ"),
        ("Núñez Ibáñez, María José", "NUNEZ IBANEZ^MARIA JOSE", "Maria Jose Nunez", "IBANEZ", "nunez_ibanez"),
    ),
    Person(
        "Portuguese accents", "ISO_IR 100", "latin-1", "GONÇALVES^JOÃO",
        ("GONÇALVES^JOÃO", "GONÇALVES, JOÃO", "JOÃO GONÇALVES", "GONÇALVES", "JOÃO"),
        ("Gonçalves, João", "GONCALVES^JOAO", "Joao Goncalves", "GONCALVES", "JOAO", "joão"),
    ),
    Person(
        "Nordic letters", "ISO_IR 100", "latin-1", "SØRENSEN^ÅSHILD",
        ("SØRENSEN^ÅSHILD", "SØRENSEN, ÅSHILD", "ÅSHILD SØRENSEN", "SØRENSEN", "ÅSHILD"),
        ("Sørensen, Åshild", "SOERENSEN^AASHILD", "SORENSEN^ASHILD", "SORENSEN", "Soerensen", "ASHILD", "AASHILD"),
    ),
    Person(
        "Polish", "ISO_IR 101", "iso8859-2", "WIŚNIEWSKI^MIECZYSŁAW",
        ("WIŚNIEWSKI^MIECZYSŁAW", "WIŚNIEWSKI, MIECZYSŁAW", "MIECZYSŁAW WIŚNIEWSKI", "WIŚNIEWSKI", "MIECZYSŁAW"),
        ("Wiśniewski, Mieczysław", "WISNIEWSKI^MIECZYSLAW", "Mieczyslaw Wisniewski", "WISNIEWSKI", "MIECZYSLAW"),
    ),
    Person(
        "Russian", "ISO_IR 144", "iso8859-5", "ИВАНОВА^НАТАЛЬЯ",
        ("ИВАНОВА^НАТАЛЬЯ", "ИВАНОВА НАТАЛЬЯ", "ИВАНОВА, НАТАЛЬЯ", "НАТАЛЬЯ ИВАНОВА", "ИВАНОВА", "НАТАЛЬЯ"),
        ("Иванова, Наталья", "Наталья Иванова", "иванова"),
    ),
    Person(
        "Greek", "ISO_IR 126", "iso8859-7", "Παπαδόπουλος^Γιώργος",
        ("Παπαδόπουλος^Γιώργος", "Παπαδόπουλος, Γιώργος", "Γιώργος Παπαδόπουλος", "Παπαδόπουλος", "Γιώργος"),
        ("ΠΑΠΑΔΟΠΟΥΛΟΣ^ΓΙΩΡΓΟΣ", "ΠΑΠΑΔΟΠΟΥΛΟΣ", "παπαδόπουλος", "ΓΙΩΡΓΟΣ"),
    ),
    Person(  # names and bytes of PS3.5 H.3.1
        "Japanese", "\\ISO 2022 IR 87", "",
        b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
        (
            "Yamada^Tarou", "Yamada, Tarou", "Tarou Yamada", "Yamada", "Tarou", "山田^太郎", "山田 太郎",
            "山田太郎", "山田", "太郎", "やまだ^たろう", "やまだ たろう", "やまだ", "たろう",
        ),
        ("YAMADA^TAROU", "yamada"),
        (
            b"\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", b"\x1b$B;3ED\x1b(B \x1b$BB@O:\x1b(B", b"\x1b$B;3EDB@O:\x1b(B",
            b"\x1b$B;3ED!!B@O:\x1b(B", b"\x1b$B;3ED\x1b(B", b"\x1b$BB@O:\x1b(B", b"\x1b$B45<T;3ED\x1b(B",
            b"\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B", b"\x1b$B$d$^$@\x1b(B", b"\x1b$B$?$m$&\x1b(B",
        ),
        (b";3ED", b"B@O:", b"$d$^$@", b"$?$m$&"),
    ),
    Person(  # names and bytes of PS3.5 I.2
        "Korean", "\\ISO 2022 IR 149", "euc_kr",
        b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
        (
            "Hong^Gildong", "Hong, Gildong", "Gildong Hong", "Gildong", "洪^吉洞", "洪吉洞", "吉洞", "홍^길동",
            "홍길동", "길동",
        ),
        ("HONG^GILDONG", "gildong"),
        (
            b"\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7", b"\x1b$)C\xd1\xce\xd4\xd7",
            b"\x1b$)C\xfb\xf3\xd1\xce\xd4\xd7",
            b"\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf", b"\x1b$)C\xb1\xe6\xb5\xbf",
        ),
        (b"\xd1\xce\xd4\xd7", b"\xb1\xe6\xb5\xbf"),
    ),
    Person(  # escapes of ISO 2022 IR 144: ESC - L
        "Russian with escapes", "\\ISO 2022 IR 144", "iso8859-5",
        b"Ivanova^Natalya=\x1b-L\xb8\xb2\xb0\xbd\xbe\xb2\xb0^\x1b-L\xbd\xb0\xc2\xb0\xbb\xcc\xcf",
        ("Ivanova^Natalya", "Ivanova", "Natalya", "ИВАНОВА^НАТАЛЬЯ", "ИВАНОВА", "НАТАЛЬЯ"),
        ("IVANOVA^NATALYA", "Natalya Ivanova"),
        (b"\x1b-L\xb8\xb2\xb0\xbd\xbe\xb2\xb0", b"\x1b-L\xbd\xb0\xc2\xb0\xbb\xcc\xcf"),
        (b"\xb8\xb2\xb0\xbd\xbe\xb2\xb0", b"\xbd\xb0\xc2\xb0\xbb\xcc\xcf"),
    ),
    Person(  # names of PS3.5 J.3
        "Chinese", "GB18030", "gb18030", "Wang^XiaoDong=王^小东",
        ("Wang^XiaoDong", "Wang, XiaoDong", "XiaoDong Wang", "XiaoDong", "Wang", "王^小东", "王小东", "小东"),
        ("WANG^XIAODONG", "xiaodong"),
    ),
    Person(
        "three letters", "", "ascii", "LEE^ANN",
        ("LEE^ANN", "LEE ANN", "LEE, ANN", "ANN LEE", "LEE_ANN", "LEE", "ANN"), ("Lee, Ann", "lee^ann", "Ann Lee"),
    ),
    Person(
        "four letters", "ISO_IR 100", "latin-1", "DIAZ^EVA",
        ("DIAZ^EVA", "DIAZ EVA", "DIAZ, EVA", "EVA DIAZ", "DIAZ", "EVA"), ("Diaz, Eva", "diaz^eva", "Eva Diaz"),
    ),
    Person(
        "five components", "ISO_IR 100", "latin-1", "ADAMS^JOHN^ROBERT QUINCY^REV.^B.A. M.DIV.",
        (
            "ADAMS^JOHN^ROBERT QUINCY^REV.^B.A. M.DIV.", "ADAMS^JOHN^ROBERT QUINCY", "ADAMS^JOHN", "ADAMS, JOHN",
            "JOHN ROBERT QUINCY ADAMS", "JOHN ADAMS", "ADAMS", "ROBERT QUINCY", "QUINCY",
        ),
        ("Rev. John Robert Quincy Adams", "adams^john", "Adams, John Robert Quincy"),
    ),
    Person(
        "over 64 characters", "ISO_IR 100", "latin-1",
        "CHOLMONDELEY-FEATHERSTONHAUGH-WRIOTHESLEY^MARMADUKE BARTHOLOMEW PEREGRINE",
        (
            "CHOLMONDELEY-FEATHERSTONHAUGH-WRIOTHESLEY^MARMADUKE BARTHOLOMEW PEREGRINE",
            "MARMADUKE BARTHOLOMEW PEREGRINE CHOLMONDELEY-FEATHERSTONHAUGH-WRIOTHESLEY",
            "CHOLMONDELEY-FEATHERSTONHAUGH-WRIOTHESLEY", "MARMADUKE BARTHOLOMEW PEREGRINE", "FEATHERSTONHAUGH",
        ),
        ("Cholmondeley", "featherstonhaugh, marmaduke", "Peregrine"),
    ),
)  # fmt: skip
