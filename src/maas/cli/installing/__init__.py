"""What `maas install`, `upgrade` and `uninstall` do on a cluster: facts, judged; a plan, shown and agreed; proof."""
