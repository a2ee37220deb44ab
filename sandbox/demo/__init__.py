"""The backend of a made-up provider agency: the CPF and CEP services that the demo publishes through Conecta.

`people` and `places` are its data, `answers` what it says to a request (pure), `server` and `__main__` how it is spoken
to. Every person is invented, and every answer depends on the request alone.
"""
