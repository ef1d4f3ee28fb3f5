import subprocess
import sys

import pytest
from typer.testing import CliRunner

from c2m.cli import cli


def run(*words):
    return CliRunner().invoke(cli, ["imagine", *words])


@pytest.mark.parametrize("brief", ["红白条纹帆布托特包", "a red and white striped canvas tote bag"])
def test_a_brief_alone_makes_pictures(brief, tiny_model, tmp_path):
    ran = run(brief, "--n", "2", "--steps", "2", "--seed", "5", "--out", str(tmp_path), "--model", str(tiny_model))
    assert ran.exit_code == 0, ran.output
    assert "prompt: red and white striped canvas tote bag" in ran.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["concept-5.png", "concept-6.png"]


def test_words_that_were_not_understood_are_told(tiny_model, tmp_path):
    ran = run("dragon mug", "--n", "1", "--steps", "1", "--out", str(tmp_path), "--model", str(tiny_model))
    assert "not understood: dragon" in ran.output


def test_neither_the_site_nor_the_command_imports_torch_before_a_picture_is_made():
    program = (
        "import sys, c2m.cli, c2m.app, c2m.design.diffusion.generator, c2m.design.diffusion.cli; "
        "heavy = {'torch', 'diffusers', 'transformers'} & set(sys.modules); sys.exit(str(heavy) if heavy else 0)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
