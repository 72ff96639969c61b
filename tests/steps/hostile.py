"""Sample names that a careless program trips over; each is one legal folder name."""

NAMES = [
    "two words",
    "quote's",
    'double"quote',
    "semi;colon $(id) `id`",
    "-rf",
    "star*?[a]",
    "back\\slash",
    "per%20cent",
    "hash#and?query&x=1",
    "名前-é",
    "{sample}",
    "..hidden..",
    "é" * 127 + "x",  # 255 bytes, the most that a file's name can have
]
ILLEGAL = ["..", ".", "../up", "a/b", ""]
