"""Fixtures of the black-box tests: a rig, checked when it ends, and a limit for each test."""
import signal

import pytest

import rig as rigs
from judge import Judge

TEST_SECONDS = 90 * rigs.SLOWNESS
LONG_SECONDS = 400


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="long tests in full (make chaos)")
    parser.addoption("--seed", type=int, help="what is random in them comes from it")


def pytest_configure(config):
    config.addinivalue_line("markers", "threads: worth running under the thread sanitizer")
    config.addinivalue_line("markers", "rig(**options): how this test's rig is made")
    config.addinivalue_line("markers", "seconds(n): this test may take so long")


def pytest_collection_modifyitems(items):
    """The longest first: started last they would keep one core busy, and the other idle."""
    def is_short(item):
        marker = item.get_closest_marker("seconds")
        return not marker or marker.args[0] < LONG_SECONDS

    items.sort(key=is_short)


@pytest.fixture(autouse=True)
def time_limit(request):
    """A test that hangs fails, and says where."""
    marker = request.node.get_closest_marker("seconds")
    seconds = marker.args[0] * rigs.SLOWNESS if marker else TEST_SECONDS

    def expire(_signum, _frame):
        raise AssertionError(f"the test takes longer than {seconds} s")

    previous = signal.signal(signal.SIGALRM, expire)
    signal.alarm(int(seconds))
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.fixture
def make_rig(request):
    """Makes rigs that are not started yet; all end with the test."""
    made = []

    def make(**options):
        made.append(rigs.Rig(**options))
        return made[-1]

    yield make
    failure = None
    for one in reversed(made):
        try:
            one.finish()
        except Exception as error:  # the other rigs must end, too
            failure = failure or error
    if failure:
        raise failure


@pytest.fixture
def make_sim(make_rig):
    """Makes simulators without a daemon; options are deltasim's."""

    def make(*options):
        rig = make_rig()
        rig.sim.options += options
        return rig.sim.start()

    return make


@pytest.fixture
def rig(request, make_rig):
    """A simulator and a ready daemon. @pytest.mark.rig(market_maker=True, log_level="info")"""
    marker = request.node.get_closest_marker("rig")
    return make_rig(**(marker.kwargs if marker else {})).start()


@pytest.fixture
def app(rig):
    """An app that may read, trade and see the market."""
    return rig.app()


@pytest.fixture(scope="session")
def chromium():
    """Starts when the first test asks for it; foreign pages are under evil.test."""
    from browser import Browser  # not needed, and maybe not there, for the other tests
    one = Browser("evil.test", "*.evil.test")
    yield one
    one.quit()


@pytest.fixture
def browser(chromium):
    """A window of its own in a real browser."""
    with chromium.window() as one:
        yield one


@pytest.fixture
def judge(rig):
    """For hostile requests, of which none may do anything."""
    one = Judge(rig)
    yield one
    one.verdict()
