"""`python -m agenteval`: the same as the console script."""

from agenteval.cli import main

if __name__ == "__main__":
    main()
