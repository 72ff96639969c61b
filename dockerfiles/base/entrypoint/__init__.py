"""What a container does first: mount buckets and look up the sample when asked to, then fetch_and_run.

    MOUNT_INPUT      s3://bucket[/prefix]   is the folder /data_in, read-only
    MOUNT_OUTPUT     s3://bucket[/prefix]   is the folder /data_out; what is written there is in the bucket
    MOUNT_INPUT_ACCESS_KEY_ID, MOUNT_INPUT_SECRET_ACCESS_KEY   optional keys of a foreign input bucket

    entrypoint ARGUMENTS…                        fetch_and_run ARGUMENTS…
    entrypoint --participants FILE ARGUMENTS…    the same, as the sample of this child: SAMPLE is set, and {sample}
                                                 in an argument is replaced by it

FILE is a path, below /data_in as a rule, with a sample a line in its first column; line i ↔ child i.
"""
