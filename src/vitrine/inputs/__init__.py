"""From files to batches: splits, shards on disk, tf.data pipelines."""
