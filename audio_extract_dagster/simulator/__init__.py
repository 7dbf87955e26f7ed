"""Genesys Cloud on loopback: a simulated contact centre for demos, tests and benchmarks.

    with Simulator(World(seed=1)) as simulator:
        print(simulator.url)

Deterministic from a seed, faithful to the documentation of the API, with switches for whatever the
platform may do differently and scripted faults for whatever can go wrong. Production code never
imports it.
"""

from audio_extract_dagster.simulator.faults import Fault, InvalidFault
from audio_extract_dagster.simulator.from_options import serve
from audio_extract_dagster.simulator.model import Conversation, Queue, Recording, Source
from audio_extract_dagster.simulator.replay import NothingToReplay, Replay
from audio_extract_dagster.simulator.simulator import Simulator
from audio_extract_dagster.simulator.switches import InvalidSwitch, Switches, parse_switch
from audio_extract_dagster.simulator.world import World

__all__ = [
    "Conversation",
    "Fault",
    "InvalidFault",
    "InvalidSwitch",
    "NothingToReplay",
    "Queue",
    "Recording",
    "Replay",
    "Simulator",
    "Source",
    "Switches",
    "World",
    "parse_switch",
    "serve",
]
