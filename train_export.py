"""Train on HR extracts and export the pipeline to the BentoML model store.

The same command as `churn train`: `python train_export.py --help`.
"""

import sys

from churn.cli.main import main

if __name__ == "__main__":
    main(["train", *sys.argv[1:]], prog_name="train_export.py")
