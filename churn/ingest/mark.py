"""The marks of written numbers: a point or a comma, between thousands or before decimals."""

from typing import Literal

Mark = Literal[".", ","]

OTHER_MARK: dict[Mark, Mark] = {".": ",", ",": "."}
