"""The outside world, as narrow as the core needs it.

Rules that hold for every method of every port, so that no docstring repeats them:

* A method raises a ``RepatriaError`` or nothing; vendor exceptions stop behind the port.
* A write is durable once its method returns, and may be repeated: repeating it changes nothing.
* A method may be called from several threads.
* No record content, user identifier or secret is in any message.
"""
