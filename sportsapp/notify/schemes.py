"""The beginnings of addresses that are offered, and what may be shown of each."""

# A scheme and the one that is it with TLS stand in one line.
OURS = {"https": "webhook", "http": "webhook", "mqtt": "mqtt", "mqtts": "mqtt"}
SERVICES = {
    "bark": "bark", "barks": "bark",
    "discord": "discord",
    "gotify": "gotify", "gotifys": "gotify",
    "mailto": "mail", "mailtos": "mail",
    "matrix": "matrix", "matrixs": "matrix",
    "mmost": "mattermost", "mmosts": "mattermost",
    "ntfy": "ntfy", "ntfys": "ntfy",
    "pbul": "pushbullet",
    "pover": "pushover",
    "prowl": "prowl",
    "signal": "signal", "signals": "signal",
    "slack": "slack",
    "tgram": "telegram",
}  # fmt: skip
KINDS = OURS | SERVICES
