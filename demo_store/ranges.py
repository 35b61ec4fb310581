"""What the shop carries: a range is a category with its names, makers, pieces and sizes. Written by hand; the
catalogue is made from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """A kind of thing within a range: what it is called, costs, is made of and looks like.

    ``materials`` are (word, finish, pattern) as :mod:`.drawing` knows them.
    """

    silhouette: str
    nouns: tuple[str, ...]
    price: float
    line: str
    materials: tuple[tuple[str, str, str], ...]
    colours: str
    trims: str
    tags: str = ""


@dataclass(frozen=True, slots=True)
class Range:
    """One category of the shop; ``sizes`` are (word, price factor)."""

    key: str
    title: str
    department: str
    line: str
    names: str
    makers: str
    pieces: tuple[Piece, ...]
    sizes: tuple[tuple[str, float], ...] = ()
    tags: str = ""


WATCHES = Range(
    "watches",
    "Watches",
    "Wear",
    "One dial, read at a glance, for the next twenty years.",
    "Perron Halyard Meridian Tolland Brae Quorn Lyndhurst Vesper Cobham Aster Ravelin Sillan Orrery Marlow Tarrant "
    "Farrow Kelso Bexley Noon Harbour Ludlow Corin",
    "Aldermoor,Solvane,Carrow,Ebbe & Lund,Velo Nord",
    (
        Piece(
            "field",
            ("Field Watch",),
            190,
            "A field watch with numerals you can read while running for a train.",
            (("waxed leather", "leather", ""), ("cotton canvas", "matte", "")),
            "Ink Tan Moss Marine Cocoa",
            "steel black gold",
            "everyday water-resistant",
        ),
        Piece(
            "dress",
            ("Dress Watch", "Slim Watch"),
            260,
            "A thin dress watch that goes under a cuff and stays there.",
            (("calf leather", "leather", ""),),
            "Ink Cocoa Oxblood Charcoal Pine",
            "gold steel",
            "gift occasion",
        ),
        Piece(
            "chronograph",
            ("Chronograph",),
            420,
            "Three registers and two honest pushers; it times an egg or a lap.",
            (("calf leather", "leather", ""), ("steel links", "metal", "")),
            "Ink Marine Cocoa Charcoal",
            "steel black gold",
            "gift",
        ),
        Piece(
            "square",
            ("Square Watch", "Tank Watch"),
            240,
            "A soft square with plain batons and nothing else to read.",
            (("suede leather", "leather", ""),),
            "Oxblood Sand Ink Sage Blush",
            "gold steel",
            "gift occasion",
        ),
        Piece(
            "diver",
            ("Diver", "Dive Watch"),
            340,
            "A turning bezel, a bright dial and two hundred metres of not worrying.",
            (("steel links", "metal", ""), ("rubber", "matte", "")),
            "Marine Ink Teal Charcoal Pine",
            "steel black",
            "water-resistant outdoor",
        ),
    ),
    tags="small",
)
BAGS = Range(
    "bags",
    "Bags",
    "Carry",
    "For the train, the market, and the weekend after.",
    "Arden Holt Fairlie Brink Calder Nettle Dunmore Sorrel Ferry Weir Linton Moray Pavan Ostler Tamsin Roake Hythe "
    "Bramble Colne Juniper Wharf Selby",
    "Hollis & Daughter,Tunnock Works,Common Thread,Marram,Ebbe & Lund",
    (
        Piece(
            "tote",
            ("Tote", "Market Tote"),
            95,
            "An upright tote that stands by itself and takes a laptop, a loaf and the post.",
            (("heavy canvas", "matte", ""), ("full-grain leather", "leather", "")),
            "Bone Ink Tan Moss Rust",
            "tan_leather dark_leather",
            "commute",
        ),
        Piece(
            "backpack",
            ("Backpack", "Rucksack"),
            135,
            "A day pack with one big room, one small one, and straps that forget they are there.",
            (("recycled nylon", "matte", ""), ("waxed cotton", "matte", "grain")),
            "Moss Ink Mustard Slate Marine",
            "tan_leather black",
            "commute portable outdoor",
        ),
        Piece(
            "satchel",
            ("Satchel",),
            210,
            "A satchel with a proper flap; it takes A4 and looks better scuffed.",
            (("bridle leather", "leather", ""),),
            "Tan Cocoa Oxblood Pine Ink",
            "dark_leather tan_leather",
            "commute gift",
        ),
        Piece(
            "weekender",
            ("Weekender", "Holdall"),
            245,
            "Two nights, one pair of shoes, no wheels.",
            (("canvas and leather", "matte", ""),),
            "Marine Bone Moss Charcoal Sand",
            "tan_leather dark_leather",
            "travel",
        ),
        Piece(
            "sling",
            ("Sling", "Crossbody"),
            68,
            "Phone, keys, passport; worn in front on the underground.",
            (("recycled nylon", "soft", ""),),
            "Mustard Ink Sage Coral Fog",
            "black tan_leather",
            "portable travel commute",
        ),
    ),
)
BOTTLES = Range(
    "bottles",
    "Bottles",
    "Carry",
    "Cold at four, hot at noon, never in the bin.",
    "Beck Runnel Spate Lochan Gill Ford Tributary Rill Eddy Cascade Torrent Well Freshet Tarnbeck Mere Sluice Burn "
    "Bourne Delta Source Pool Drip",
    "Marram,Velo Nord,Carrow,Pikkala",
    (
        Piece(
            "flask",
            ("Flask", "Insulated Bottle"),
            32,
            "Double walls and a lid that closes the first time.",
            (("powder-coated steel", "matte", ""), ("enamelled steel", "gloss", "")),
            "Pine Coral Sky Ink Mustard Blush",
            "steel oak black",
            "commute",
        ),
        Piece(
            "wide",
            ("Wide Bottle", "Loop Bottle"),
            36,
            "A wide mouth for ice and a loop for one finger.",
            (("powder-coated steel", "matte", ""),),
            "Bone Teal Charcoal Rust Lilac",
            "black oak",
            "outdoor",
        ),
        Piece(
            "thermos",
            ("Thermos", "Soup Flask"),
            44,
            "Soup for two, hot until the summit.",
            (("brushed steel", "metal", ""), ("powder-coated steel", "matte", "")),
            "Moss Marine Oxblood Steel Clay",
            "black steel",
            "outdoor travel",
        ),
        Piece(
            "sport",
            ("Sport Bottle",),
            18,
            "A squeeze, a sip, back in the cage.",
            (("soft polymer", "soft", ""),),
            "Sky Sage Charcoal Coral Snow",
            "black white",
            "sport quick",
        ),
    ),
    sizes=(("500 ml", 1.0), ("750 ml", 1.2)),
    tags="portable",
)
LAMPS = Range(
    "lamps",
    "Lamps",
    "Home",
    "Warm light, low down, where you sit.",
    "Lumen Ember Gloam Candela Tallow Dusk Beacon Glint Hearth Wick Solstice Afterglow Vigil Firefly Halo Dimmet "
    "Lantern Aurora Evensong Nightjar Filament Umber",
    "Studio Halle,Ebbe & Lund,Pikkala,Carrow,Lehm",
    (
        Piece(
            "mushroom",
            ("Table Lamp", "Mushroom Lamp"),
            115,
            "A round cap on a round foot; it makes any shelf look kind.",
            (("glazed ceramic", "ceramic", ""), ("lacquered steel", "gloss", "")),
            "Mustard Cream Coral Sage Oxblood",
            "white oak brass",
            "bedside gift",
        ),
        Piece(
            "pendant",
            ("Pendant", "Pendant Light"),
            140,
            "Hung low over a table it decides where the evening happens.",
            (("spun aluminium", "gloss", ""), ("lacquered steel", "matte", "")),
            "Pine Ink Terracotta Bone Marine",
            "brass black",
            "dining",
        ),
        Piece(
            "task",
            ("Desk Lamp", "Task Lamp"),
            98,
            "Two joints, one switch, light exactly on the page.",
            (("lacquered steel", "gloss", ""),),
            "Ink Snow Rust Teal Mustard",
            "brass steel black",
            "desk home-office",
        ),
        Piece(
            "globe",
            ("Globe Lamp",),
            79,
            "A small moon with a flex.",
            (("opal glass", "ceramic", ""),),
            "Clay Charcoal Sage Bone Walnut",
            "brass steel",
            "bedside",
        ),
        Piece(
            "tripod",
            ("Floor Lamp", "Tripod Lamp"),
            185,
            "Three legs and a linen shade for the corner nobody knew what to do with.",
            (("linen", "matte", "rib"), ("linen", "matte", "")),
            "Cream Pine Ash Blush Slate",
            "oak walnut black",
            "living",
        ),
    ),
)
CHAIRS = Range(
    "chairs",
    "Chairs",
    "Home",
    "Sit. Stay. Reupholster in 2041.",
    "Alcove Bower Croft Dell Elm Fallow Grange Hearthside Inglenook Jetty Knoll Lodge Manse Nook Orchard Parlour "
    "Quarter Rectory Steading Thatch Upland Verge",
    "Studio Halle,Ebbe & Lund,Hollis & Daughter,Carrow",
    (
        Piece(
            "shell",
            ("Shell Chair", "Dining Chair"),
            165,
            "A moulded shell that holds the small of the back through a long dinner.",
            (("wool felt", "matte", ""), ("boucle", "matte", "speckle")),
            "Sage Clay Charcoal Bone Teal",
            "oak walnut black",
            "dining home-office",
        ),
        Piece(
            "spindle",
            ("Spindle Chair",),
            230,
            "Seven spindles, steam-bent rails, and a creak we left in.",
            (("painted ash", "wood", ""), ("oiled oak", "wood", "grain")),
            "Oak Ink Pine Sky Walnut",
            "stone oak",
            "dining",
        ),
        Piece(
            "lounge",
            ("Lounge Chair", "Armchair"),
            540,
            "Deep enough for a dog and a book.",
            (("velvet", "soft", ""), ("corduroy", "matte", "cord")),
            "Pine Marine Rust Sand Plum",
            "walnut black oak",
            "living",
        ),
        Piece(
            "stool",
            ("Stool", "Counter Stool"),
            88,
            "Seat, step, side table.",
            (("wool felt", "soft", ""), ("woven paper cord", "matte", "check")),
            "Mustard Bone Charcoal Coral Oak",
            "oak walnut black",
            "small-space",
        ),
        Piece(
            "slat",
            ("Ladder Chair", "Slat Chair"),
            145,
            "A kitchen chair with nothing to prove.",
            (("oiled ash", "wood", "grain"), ("painted beech", "matte", "")),
            "Ash Ink Terracotta Sage Walnut",
            "oak walnut black",
            "dining",
        ),
    ),
)
PLANTS = Range(
    "plants",
    "Plants",
    "Home",
    "Potted, labelled with what they really need, hard to offend.",
    "Agatha Basil Clementine Dorothy Edmund Florence Gilbert Hattie Ingrid Jasper Kit Lottie Mabel Ned Olive Percy "
    "Quentin Rosalind Stanley Tilda Ursula Winifred",
    "Fernbank,Lehm",
    (
        Piece(
            "monstera",
            ("the Monstera",),
            48,
            "Broad, cut leaves that turn to look at you.",
            (("glazed stoneware", "ceramic", ""), ("terracotta", "matte", "")),
            "Terracotta Bone Sage Charcoal",
            "stone",
            "bright-light",
        ),
        Piece(
            "swords",
            ("the Snake Plant",),
            29,
            "Forgives a month of neglect and says nothing about it.",
            (("glazed stoneware", "ceramic", "speckle"), ("terracotta", "matte", "")),
            "Clay Sky Ink Cream",
            "stone",
            "low-light beginner",
        ),
        Piece(
            "cactus",
            ("the Cactus",),
            22,
            "Sun, sand, and a drink every third Sunday.",
            (("glazed stoneware", "ceramic", ""),),
            "Pine Mustard Marine Blush",
            "stone",
            "beginner bright-light desk",
        ),
        Piece(
            "tree",
            ("the Rubber Tree",),
            64,
            "A small tree with glossy leaves and ambitions.",
            (("terracotta", "matte", ""), ("glazed stoneware", "ceramic", "")),
            "Bone Mustard Terracotta Slate",
            "stone",
            "living",
        ),
        Piece(
            "trailing",
            ("the Pothos",),
            24,
            "Put it high and watch it come down.",
            (("glazed stoneware", "ceramic", ""),),
            "Cream Charcoal Coral Teal",
            "stone",
            "low-light beginner",
        ),
    ),
    sizes=(("Small", 1.0), ("Large", 1.55)),
    tags="living-thing",
)
MUGS = Range(
    "mugs",
    "Mugs",
    "Table",
    "The first thing you hold in the morning.",
    "Bracken Chalk Drift Fern Grit Haar Kelp Loam Mica Oat Pebble Quartz Rime Shale Thaw Umbra Whin Yarrow Barley "
    "Cobble Dune Flint",
    "Lehm,Pikkala,Carrow,Odd Hours",
    (
        Piece(
            "straight",
            ("Mug", "Everyday Mug"),
            19,
            "A straight mug with a handle for three fingers.",
            (("glazed stoneware", "ceramic", "speckle"), ("glazed stoneware", "ceramic", "")),
            "Bone Slate Sage Mustard Blush",
            "stone oak dark_leather",
            "dishwasher-safe",
        ),
        Piece(
            "round",
            ("Round Mug", "Bowl Mug"),
            22,
            "Round enough to warm both hands.",
            (("dipped stoneware", "ceramic", ""),),
            "Sky Clay Cream Pine Lilac",
            "stone oak",
            "dishwasher-safe gift",
        ),
        Piece(
            "camp",
            ("Camp Mug", "Enamel Mug"),
            14,
            "Chips become anecdotes.",
            (("enamelled steel", "gloss", ""),),
            "Snow Marine Rust Moss Mustard",
            "black white",
            "outdoor portable",
        ),
        Piece(
            "espresso",
            ("Espresso Cup",),
            24,
            "Two sips, with a saucer to keep it civil.",
            (("porcelain", "ceramic", ""),),
            "Ink Snow Oxblood Teal Coral",
            "stone oak white",
            "gift",
        ),
        Piece(
            "tumbler",
            ("Tumbler", "Beaker"),
            17,
            "No handle, no fuss; stacks to the ceiling.",
            (("dipped stoneware", "ceramic", ""),),
            "Cream Charcoal Terracotta Sage Marine",
            "stone oak black",
            "dishwasher-safe",
        ),
    ),
    tags="quick",
)
KETTLES = Range(
    "kettles",
    "Pots & Kettles",
    "Table",
    "Water, then patience.",
    "Anselm Bodkin Caddy Dalloway Earl Fennel Gantry Hob Isobar Jolly Kindle Lintel Matins Nocturne Oolong Pekoe "
    "Quill Rosary Samovar Trivet Urn Vapour",
    "Lehm,Studio Halle,Carrow,Tunnock Works",
    (
        Piece(
            "gooseneck",
            ("Pour-Over Kettle", "Gooseneck Kettle"),
            92,
            "A thin stream that goes where you point it.",
            (("enamelled steel", "gloss", ""), ("brushed steel", "metal", "")),
            "Ink Cream Steel Pine Copper",
            "walnut oak black",
            "coffee",
        ),
        Piece(
            "teapot",
            ("Teapot",),
            58,
            "Four cups, one drip-free spout, no drama.",
            (("glazed stoneware", "ceramic", ""), ("glazed stoneware", "ceramic", "speckle")),
            "Bone Teal Terracotta Charcoal Sage",
            "oak walnut",
            "tea gift",
        ),
        Piece(
            "moka",
            ("Moka Pot", "Stovetop Pot"),
            38,
            "Six cups and a small roar.",
            (("cast aluminium", "metal", ""),),
            "Steel Graphite Copper Oxblood",
            "black walnut",
            "coffee",
        ),
        Piece(
            "press",
            ("Coffee Press", "French Press"),
            46,
            "Four minutes; use them.",
            (("steel and glass", "metal", ""), ("enamelled steel", "gloss", "")),
            "Ink Cream Sage Coral Steel",
            "black oak walnut",
            "coffee gift",
        ),
    ),
)
NOTEBOOKS = Range(
    "notebooks",
    "Notebooks",
    "Desk",
    "Paper that is not in a hurry.",
    "Margin Folio Quarto Octavo Verso Recto Ampersand Errata Codex Ledger Marginalia Preface Colophon"
    " Epilogue Postscript "
    "Stanza Glossary Vellum Inkling Footnote Chapter Almanac",
    "Plain Paper Co.,Odd Hours,Hollis & Daughter,Common Thread",
    (
        Piece(
            "hardcover",
            ("Notebook", "Hardcover Notebook"),
            21,
            "Thread-sewn, numbered pages, an elastic that stays elastic.",
            (("linen cover", "soft", ""), ("cloth cover", "matte", "rib")),
            "Ink Rust Sage Bone Marine Mustard",
            "black oak gold",
            "desk gift",
        ),
        Piece(
            "spiral",
            ("Spiral Notebook", "Wire-o Pad"),
            13,
            "Folds right round; loves a train table.",
            (("card cover", "soft", ""), ("card cover", "soft", "dots")),
            "Sky Coral Charcoal Lilac Sand",
            "black",
            "desk quick",
        ),
        Piece(
            "stack",
            ("Pocket Set", "Exercise Books"),
            16,
            "Three thin books: one for lists, one for thoughts, one to lend.",
            (("card cover", "soft", ""),),
            "Pine Blush Slate Mustard Teal",
            "oak tan_leather gold",
            "desk portable quick",
        ),
        Piece(
            "wrap",
            ("Leather Journal", "Refillable Journal"),
            58,
            "A hide around paper you can replace.",
            (("full-grain leather", "leather", ""),),
            "Tan Cocoa Oxblood Pine Ink",
            "dark_leather tan_leather",
            "gift travel",
        ),
    ),
    sizes=(("A6", 0.8), ("A5", 1.0)),
    tags="small",
)
HEADPHONES = Range(
    "headphones",
    "Headphones",
    "Desk",
    "Quiet, then music.",
    "Allegro Bourdon Cadence Descant Encore Fermata Glissando Harmonic Interval Jig Kyrie Largo Motif"
    " Nonet Octave Prelude "
    "Quaver Rondo Sonata Treble Unison Vamp",
    "Kestrel Audio,Velo Nord,Carrow,Studio Halle",
    (
        Piece(
            "over-ear",
            ("Over-Ear Headphones", "Wireless Headphones"),
            190,
            "Thirty hours of charge and an off switch you can find.",
            (("matte polymer", "matte", ""), ("wool and steel", "matte", "mesh")),
            "Ink Bone Pine Marine Clay",
            "steel brass",
            "home-office commute noise-cancelling",
        ),
        Piece(
            "on-ear",
            ("On-Ear Headphones",),
            110,
            "Light, small, and they fold into a coat pocket.",
            (("anodised aluminium", "gloss", ""),),
            "Mustard Charcoal Snow Coral Sage",
            "steel brass black",
            "portable commute",
        ),
        Piece(
            "studio",
            ("Studio Headphones", "Open-Back Headphones"),
            320,
            "Open backs and a long cable for people who sit down to listen.",
            (("walnut and leather", "leather", ""),),
            "Ink Cocoa Oxblood Graphite",
            "walnut oak",
            "desk gift",
        ),
        Piece(
            "buds",
            ("Earbuds", "Wireless Buds"),
            85,
            "Two buds and a pebble to keep them in.",
            (("soft polymer", "matte", ""),),
            "Snow Ink Sky Blush Sage",
            "steel brass",
            "portable commute quick sport",
        ),
    ),
)
JACKETS = Range(
    "jackets",
    "Jackets",
    "Wear",
    "For weather, and for the idea of weather.",
    "Ashdown Burrow Cairn Drumlin Esker Fell Garth Heath Islay Jura Kyle Lomond Moor Ness Orkney"
    " Pentland Rannoch Skerry "
    "Torridon Uist Wold Yare",
    "Marram,Tunnock Works,Common Thread,Ebbe & Lund,Aldermoor",
    (
        Piece(
            "bomber",
            ("Bomber",),
            145,
            "Ribbed where it meets you, easy everywhere else.",
            (("recycled nylon", "soft", ""), ("wool melton", "matte", "")),
            "Ink Moss Oxblood Slate Mustard",
            "black gold steel",
            "everyday",
        ),
        Piece(
            "parka",
            ("Parka",),
            260,
            "Long, lined, and unbothered by sideways rain.",
            (("waxed cotton", "matte", ""),),
            "Moss Tan Marine Charcoal Bone",
            "black brass",
            "outdoor winter",
        ),
        Piece(
            "chore",
            ("Chore Coat", "Work Jacket"),
            120,
            "Three pockets; one always has a pencil.",
            (("cotton twill", "matte", ""), ("corduroy", "matte", "cord")),
            "Marine Sand Rust Ink Pine",
            "brass black",
            "everyday",
        ),
        Piece(
            "shell",
            ("Rain Shell", "Shell Jacket"),
            185,
            "Three layers, taped seams, packs into its own hood.",
            (("three-layer shell", "soft", ""),),
            "Teal Coral Mustard Slate Pine",
            "black white",
            "outdoor portable travel",
        ),
        Piece(
            "overshirt",
            ("Overshirt",),
            89,
            "Too warm for a shirt, too light for a coat, right most days.",
            (("brushed flannel", "matte", "check"), ("cotton twill", "matte", "")),
            "Rust Sky Moss Cream Charcoal",
            "stone dark_leather",
            "everyday",
        ),
    ),
    sizes=(("S", 1.0), ("M", 1.0), ("L", 1.0), ("XL", 1.0)),
)
SHOES = Range(
    "shoes",
    "Shoes",
    "Wear",
    "Resoled more often than replaced.",
    "Amble Bolt Canter Dash Errand Fleet Gait Hop Itinerant Jaunt Kick Lope Mosey Nimble Outing Pace Quickstep Ramble "
    "Saunter Trek Vault Wander",
    "Velo Nord,Common Thread,Hollis & Daughter,Marram,Pikkala",
    (
        Piece(
            "court",
            ("Court Shoe", "Low Trainer"),
            98,
            "A plain trainer that goes with the rest of your life.",
            (("nappa leather", "leather", ""), ("organic canvas", "matte", "")),
            "Snow Ink Mustard Sage Sky",
            "white gum",
            "sneaker everyday",
        ),
        Piece(
            "runner",
            ("Runner", "Trail Runner"),
            125,
            "Cushion under the heel, grip under the toe, go.",
            (("knitted mesh", "matte", "mesh"),),
            "Coral Marine Charcoal Teal Lilac",
            "white black",
            "sneaker sport",
        ),
        Piece(
            "high-top",
            ("High-Top",),
            110,
            "Canvas to the ankle and laces to the knee if you insist.",
            (("organic canvas", "matte", ""), ("suede", "soft", "")),
            "Ink Bone Rust Pine Mustard",
            "white gum black",
            "sneaker",
        ),
        Piece(
            "boot",
            ("Boot", "Chelsea Boot"),
            195,
            "Welted, waxed, and broken in by noon.",
            (("waxed leather", "leather", ""),),
            "Cocoa Ink Tan Oxblood",
            "black gum",
            "winter outdoor",
        ),
        Piece(
            "loafer",
            ("Loafer",),
            165,
            "On without bending down.",
            (("calf leather", "leather", ""), ("suede", "soft", "")),
            "Oxblood Ink Tan Pine Sand",
            "black gum",
            "occasion",
        ),
    ),
    sizes=tuple((str(size), 1.0) for size in range(37, 46)),
)

RANGES = (WATCHES, JACKETS, SHOES, BAGS, BOTTLES, LAMPS, CHAIRS, PLANTS, MUGS, KETTLES, NOTEBOOKS, HEADPHONES)
DEPARTMENTS = ("Wear", "Carry", "Home", "Table", "Desk")
