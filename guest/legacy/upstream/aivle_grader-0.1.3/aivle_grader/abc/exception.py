class TimeoutException(Exception):
    pass


class TestSuiteNotFound(Exception):
    pass


class AgentNotFound(Exception):
    pass
