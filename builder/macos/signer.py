"""Signs a program ad hoc; runs by itself, with apple-platform-py on its path.

Arguments: the program, its identifier, the app's Info.plist and its CodeResources.
"""

import sys

import apple_platform


def main() -> None:
    """Sign the program in its place."""
    program, identifier, info, resources = sys.argv[1:]
    settings = apple_platform.PathSettings(info_plist_file=info, code_resources_file=resources)
    apple_platform.sign(program, binary_identifier=identifier, paths={"@main": settings})


if __name__ == "__main__":
    main()
