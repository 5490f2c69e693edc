"""From cells to rows of the store: values with their support, interval and completeness. Pure."""
