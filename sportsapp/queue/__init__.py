"""The two queues: our Huey, its consumer, its messages and schedules, and what tracks its runs."""
