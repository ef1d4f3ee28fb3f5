"""`python -m c2m` is the `c2m` command."""

from c2m.cli import main

if __name__ == "__main__":
    main()
