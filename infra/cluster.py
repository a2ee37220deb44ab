"""Access to the cluster, said in full, so that no machine's environment or kubectl decides what happens."""

import pulumi
import pulumi_kubernetes as k8s

from infra.settings import ClusterSettings

__all__ = ["cluster"]


def cluster(settings: ClusterSettings) -> k8s.Provider:
    """The one provider of the stack."""
    return k8s.Provider(
        "cluster",
        context=settings.context,
        # else a new URL or CA of the same cluster would replace the provider, and with it every object
        cluster_identifier=f"{pulumi.get_project()}/{pulumi.get_stack()}",
        namespace="default",
        enable_server_side_apply=True,
        # an edit by hand is repaired, not a conflict
        enable_patch_force=True,
        # an object that was made before a crash, and not recorded, is taken over
        upsert_existing_objects=True,
        # else a changed certificate would be a deleted Secret first
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
    )
