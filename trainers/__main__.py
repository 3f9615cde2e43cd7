"""`python -m trainers VERB …` does the same as `tf-finetune VERB …`."""

from trainers.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
