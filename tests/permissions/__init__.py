"""The permission matrix: roles by pages, actions, downloads and commands, with other people's ids, in a small practice."""
