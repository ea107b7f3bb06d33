def test_home_page_answers(client):
    assert client.get("/").status_code == 200


def test_immediate(app, immediate, feed):
    from sportsapp.tasks import sync_all_live_games

    r = sync_all_live_games()
    assert r.get(blocking=True, timeout=1) == {"synced": 0, "errors": []}
