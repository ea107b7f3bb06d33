"""The two queues: our Huey, its consumer, its messages and its schedules."""
