import pytest

from filmgate.objects.keys import BadKeyError, checked_key, checked_prefix


@pytest.mark.parametrize("key", ["a", "tasks/0198-ab/0f.mp4", "in/A_b-c.tar.gz", "a" * 512])
def test_a_plain_key_is_itself(key):
    assert checked_key(key) == key


@pytest.mark.parametrize(
    "key",
    [
        "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "a/.hidden", ".temporary/x", "a\\b",
        "a b", "a\n", "a\0", "a?b", "a%2e%2e", "é", "影片", "a:b", "~/a", "a/b/*", "a" * 513,
    ],
)  # fmt: skip
def test_a_key_that_could_mean_something_else_is_refused(key):
    with pytest.raises(BadKeyError, match="the object key"):
        checked_key(key)


def test_a_prefix_is_some_first_parts_of_a_key():
    assert [checked_prefix(prefix) for prefix in ("", "tasks", "tasks/", "tasks/1")] == [
        "",
        "tasks",
        "tasks/",
        "tasks/1",
    ]
    for prefix in ("/", "..", "tasks//", ".temporary", "tasks/.."):
        with pytest.raises(BadKeyError, match="is not the beginning of an object key"):
            checked_prefix(prefix)
