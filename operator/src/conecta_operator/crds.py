"""The committed CRDs: `python -m conecta_operator.crds --write` makes them, `--check` says whether they are fresh."""

import sys
from pathlib import Path
from typing import Final

from conecta_operator.api.schema import files
from conecta_operator.generated import Generated

__all__ = ["CRDS"]

CRDS: Final = Generated(
    module="conecta_operator.crds", folder=Path("charts/conecta-crds/crds"), files=files, alone=".yaml"
)

if __name__ == "__main__":
    sys.exit(CRDS.main())
