"""An old Flask-HTTPAuth, attacked by a program that is written down beside those on the drop-in."""

import json
import sys
from importlib.metadata import version
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[4])  # instead of this folder

import flask_httpauth  # noqa: E402 -- not this file

from tests.attacks.flask_httpauth.programs import come_without_a_token  # noqa: E402 -- likewise

json.load(sys.stdin)
print(json.dumps({"version": version("flask-httpauth"), "got in": come_without_a_token(flask_httpauth)}))
