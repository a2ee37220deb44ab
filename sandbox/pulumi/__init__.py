"""What Pulumi can't download on a machine without its registry: the Python language host and a Kubernetes provider.

Both are stand-ins for sandboxes. Where the official plugins can be downloaded (`pulumi plugin install`), use them.

- `install`        puts both where a Pulumi CLI finds them
- `language_host`  runs Python programs for the CLI
- `server`         the stand-in provider as Pulumi sees it (gRPC)
- `lifecycle`      the stand-in provider as it acts on one object; `components` the same for charts and manifests
- `diff`, `values`, `names`, `waits`, `settings`, `manifests`   what they decide with: pure
- `rest`, `charts` the world outside: API server and helm
"""
