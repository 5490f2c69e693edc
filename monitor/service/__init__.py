"""The watcher: looks, follows, tells. One leads by lock; all other processes only look."""
