"""A server in its own process gets damaged requests: each answer is in the contract's table."""

import pytest
from fuzzing import faults_in, send
from message_mutations import messages, uploads
from programs import serving


@pytest.fixture(scope="module")
def program(family_folder, family):
    options = [f"--bundle={family_folder / name}" for name in family]
    with serving("--port=0", "--http-port=0", *options) as running:
        yield running


@pytest.fixture(scope="module")
def http_url(program):
    return program.process.stdout.readline().split()[-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "count"), [(messages, 2000), (uploads, 500)], ids=["messages", "uploads"]
)
def test_damaged_requests_get_a_status_of_the_contract(program, http_url, make, count):
    verdicts = send(program.address, http_url, list(make(31, count)))
    assert not verdicts.faults
    assert {"OK", "INVALID_ARGUMENT"} <= set(verdicts.codes)
    assert not faults_in(program.log)
