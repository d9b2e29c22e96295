"""The model in a process of its own: there, a crash or a hang is not the service's."""
