"""The checks of clients.py, one module for each service."""

# By module.
CHECKS = {}


def check(function):
    CHECKS.setdefault(function.__module__, []).append(function)
    return function
