"""The entrypoint of a container: fetch a script or a zip from S3, run it, pass its exit code on.

    BATCH_FILE_TYPE    script | zip
    BATCH_FILE_S3_URL  s3://bucket/key of the script or the zip
    BATCH_FILE_SHA256  optional: the file's SHA-256, in hex

    python -m fetch_and_run ARGUMENTS…          a script: run with these arguments
    python -m fetch_and_run ENTRY ARGUMENTS…    a zip: ENTRY is the path inside it of the program to run

The variables and the calling convention are those of AWS's own fetch_and_run (its blog, "Creating a Simple
Fetch & Run AWS Batch Job").
"""
