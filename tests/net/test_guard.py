from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from filmgate.net.denied import Denied
from filmgate.net.guard import Checked, Guard, GuardRules, allowed_pairs, trusted_pair

DENIED = {
    "G1": [
        "", "https://images.shop.com/" + "x" * 4073, " https://images.shop.com/", "https://images.shop.com/ ",
        "https://images.shop.com/a b", "https://images.shop.com/a\tb", "https://images.shop.com/\r\nx: y",
        "https://images.shop.com\\@10.0.0.1/", "https://images.shop.com/a\\b", "https://images.shop.com/\x7f",
        "https://images.shop.com/\x00", "https://images.shop.com/\x9f", "https://images.shop.com/a\u3000b",
        "https://images.shop.com/a\u2003b", "https://images.shop.com/\u2029", "https://images.shop.com/\u200b",
        "https://ima\u200dges.shop.com/", "https://images.shop.com/\u202e", "https://images.shop.com/\u0378",
        "https://images.shop.com/\ud800", "\u2060https://images.shop.com/",
    ],
    "G2": [
        "images.shop.com/a.png", "//images.shop.com/a.png", "/a.png", "a.png", "https:/images.shop.com/",
        "https:images.shop.com", "ftp://images.shop.com/", "file:///etc/hosts", "data:image/png;base64,AAAA",
        "gopher://10.0.0.1:70/_x", "javascript:1", "htt\u0440s://images.shop.com/", "httpss://images.shop.com/",
        "view-source:https://images.shop.com/", "ｈttps://images.shop.com/", "https;//images.shop.com/",
    ],
    "G3": [
        "https://me@images.shop.com/", "https://me:secret@images.shop.com/", "https://@images.shop.com/",
        "https://images.shop.com@10.0.0.1/", "https://10.0.0.1?@images.shop.com/", "https://10.0.0.1#@images.shop.com/",
        "https://images.shop.com?mail=a@b.com", "https://a@b@images.shop.com/", "https://images.shop.com:443@10.0.0.1",
    ],
    "G4": [
        "https://images.shop.com:/", "https://images.shop.com:0/", "https://images.shop.com:0443/",
        "https://images.shop.com:+443/", "https://images.shop.com:-1/",
        "https://images.shop.com:443x/", "https://images.shop.com:65536/", "https://images.shop.com:100000/",
        "https://images.shop.com:4_43/", "https://images.shop.com:４４３/", "https://images.shop.com:٤٤٣/",
        "https://images.shop.com:443:443/", "https://images.shop.com:3306/", "https://images.shop.com:6379/",
        "https://images.shop.com:9200/", "https://[2400:cb00::1]:22/", "https://1.1.1.1:8000/", "https://x[::1]/",
    ],
    "G5": [
        "https://[::1/", "https://[]/", "https://[::1]x/", "https://[::1].shop.com/", "https://[1.1.1.1]/",
        "https://[images.shop.com]/", "https://[fe80::1%eth0]/", "https://[2400:cb00::1%25eth0]/", "https://[v7.a]/",
        "https://[::%31]/", "https://[[2400:cb00::1]]/", "https://[2400:cb00::1]]/", "https://[2400:cb00:::1]/",
    ],
    "G6": [
        "https:///", "https://:443/", "https://?a", "https://#a", "https://./", "https://../", "https://.shop.com/",
        "https://images..shop.com/", "https://shop.com../", "https://-shop.com/", "https://shop-.com/", "https://shop/",
        "https://shop./", "https://shop.c/", "https://shop.c0m/", "https://images%2eshop.com/", "https://%6domain.com/",
        "https://images.shop.com%00.org/", "https://shop.com;x.org/", "https://sh*p.com/", "https://shop,x.com/",
        "https://" + "a" * 64 + ".com/", "https://" + "abcdefg." * 32 + "com/", "https://1.1.1.1./", "https://{a}.com/",
        "https://shop.com&x.org/", "https://shop.com=x/", "https://'shop'.com/", "https://::1/", "https://shop.-com/",
    ],
    "G7": [
        "https://16843009.1/", "https://0x1.0x1.0x1.0x1/", "https://01.01.01.01/", "https://1.1.1.01/",
        "https://1.257.257/", "https://1.65793/", "https://1.1.1.256/", "https://1.1.1.1.1/", "https://shop.7/",
        "https://1.1.1.1e0/", "https://shop.com.0x7f/", "https://127.0.0.1.0/", "https://00.1.1.1/",
    ],
    "G8": [
        "https://ｓｈｏｐ.com/", "https://ⓢhop.com/", "https://ﬂower.com/", "https://𝐬𝐡𝐨𝐩.com/", "https://shop。com/",
        "https://shop．com/", "https://shop｡com/", "https://sh\u043ep.com/", "https://ѕhop.com/", "https://sh\u03bfp.com/",
        "https://sh\u0585p.com/", "https://sh\u13a0p.com/", "https://sh\u2c9fp.com/", "https://xn--shp-jed.com/",
        "https://☃.com/", "https://xn--n3h.com/", "https://xn--a.com/", "https://xn--.com/", "https://xn--shop-.com/",
        "https://xn--SHOP-.com/", "https://\u0300a.com/", "https://m½.com/", "https://①.1.1.1/", "https://é.xn--.com/",
        "https://xn--bcher-kva\u0301.de/", "https://xn--0.pt/", "https://ªbc\u0430.com/", "https://\u1d2bb.com/",
    ],
    "G9": [
        "https://files.localhost/", "https://FILES.LocalHost./", "https://a.local/", "https://x.localdomain/",
        "https://db.internal/", "https://x.intranet/", "https://x.private/", "https://mail.corp/", "https://x.home/",
        "https://nas.lan/", "https://1.0.0.10.in-addr.arpa/", "https://x.test/", "https://x.example/",
        "https://x.invalid/", "https://x.onion/", "https://x.alt/", "https://api.ns.svc/", "https://x.consul/",
        "https://x.docker/", "https://metadata.goog/", "https://a.metadata.goog/", "https://METADATA.GOOG/",
        "https://metadata.tencentyun.com/", "https://metadata.packet.net/", "https://metadata.platformequinix.com/",
        "https://x.api.metadata.cloud.ibm.com/", "https://metadata.google.internal./",
    ],
    "G10": [
        "https://127.0.0.1/", "https://10.20.30.40:8443/", "http://192.168.1.1:8080/", "https://169.254.169.254/",
        "https://0.0.0.0/", "https://100.64.0.1/", "https://224.0.0.1/", "https://255.255.255.255/",
        "https://168.63.129.16/", "https://192.0.0.192/", "https://172.31.0.1/", "https://198.18.0.1/",
    ],
    "G11": [
        "https://[::1]/", "https://[::]/", "https://[::ffff:1.1.1.1]/", "https://[::ffff:101:101]/", "https://[::1.1.1.1]/",
        "https://[64:ff9b::1.1.1.1]/", "https://[2002:101:101::1]/", "https://[2001:0:101:101::1]/", "https://[fd00::1]/",
        "https://[fe80::1]/", "https://[ff02::1]/", "https://[2001:db8::1]/", "https://[3fff::1]/", "https://[fec0::1]/",
        "https://[2400:cb00::5efe:101:101]/",
    ],
}  # fmt: skip

HONEST = [
    "https://images.shop.com/a.png", "http://images.shop.com/a.png", "HTTPS://IMAGES.SHOP.COM/A.PNG",
    "https://images.shop.com", "https://images.shop.com?x=1", "https://images.shop.com#top", "https://shop.com./a",
    "https://images.shop.com:443/", "http://images.shop.com:8080/", "https://images.shop.com:8443/",
    "https://images.shop.com/@me/a.png", "https://images.shop.com/a?mail=a@b.com&u=http://10.0.0.1/",
    "https://my_bucket.s3.eu-west-1.amazonaws.com/a%20b.png?X-Amz-Signature=0%2F%2B", "https://_dmarc.shop.com/",
    "https://r5---sn-4g5e6nzz.googlevideo.com/videoplayback", "https://1.1.1.1/a.png", "https://1.cdn.shop.com/",
    "https://0x7f.shop.com/", "https://127.0.0.1.shop.com/", "https://localhost.shop.com/", "https://local.shop.com/",
    "https://notlocalhost.com/", "https://corp.com/", "https://metadata.shop.com/", "https://xmetadata.goog.com/",
    "https://[2400:cb00:2048::6814:55]/", "https://[2400:CB00:0:0:0:0:0:1]:8443/a", "https://grüße.de/a",
    "https://straße.de/", "https://пример.рф/", "https://例え.jp/絵.png", "https://xn--bcher-kva.de/", "https://BÜCHER.de/",
    "https://한국.kr/", "https://παράδειγμα.gr/", "https://images.shop.com/🎬.png", "https://shop.travelersinsurance/",
    "https://images.shop.com//a//b", "https://images.shop.com/../a", "https://images.shop.com/a'(b)!$&*+,;=:{}|\"<>^`~",
    "https://images.shop.com/" + "x" * 4072, "https://" + "a" * 63 + ".com/", "https://xn--fiq228c.xn--fiqs8s/",
]  # fmt: skip


async def nobody(host):
    raise AssertionError(f"{host} was looked up")


def resolving(*answers):
    async def resolve(host):
        return answers

    return resolve


def guard(resolver=nobody, **rules):
    return Guard(GuardRules(**rules), resolver)


def rule_of(url, **rules):
    with pytest.raises(Denied) as caught:
        guard(**rules).check(url)
    return caught.value.rule


async def rule_of_answers(*answers, url="https://images.shop.com/", **rules):
    watch = guard(resolving(*answers), **rules)
    with pytest.raises(Denied) as caught:
        await watch.resolve(watch.check(url))
    return caught.value.rule


@pytest.mark.parametrize(("rule", "url"), [(rule, url) for rule, urls in DENIED.items() for url in urls])
def test_each_rule_denies_its_own_without_a_look_up(rule, url):
    assert rule_of(url) == rule


@pytest.mark.parametrize("url", HONEST)
async def test_honest_urls_pass(url):
    watch = guard(resolving("1.1.1.1", "2400:cb00::1"))

    assert await watch.resolve(watch.check(url))


def test_what_passed_is_spelled_as_it_goes_over_the_wire():
    assert guard().check("HTTPS://CDN.Bücher.DE.:8443/a%2Fb?ü=1&x='#top") == Checked(
        "https", "cdn.xn--bcher-kva.de", 8443, "/a%2Fb?%C3%BC=1&x='", literal=None, trusted=False
    )
    assert guard().check("http://[2400:CB00::0:1]?a").url == "http://[2400:cb00::1]/?a"
    assert guard().check("https://shop.com:443").url == "https://shop.com/"


def test_every_printable_character_of_a_path_and_query_is_sent_as_it_is():
    target = "/" + "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in "#\\") + "%zz%2f"

    assert guard().check(f"https://shop.com{target}").target == target


def test_g6_a_name_may_have_253_characters_and_no_more():
    label = "a" * 62
    longest = ".".join([label, label, label, "a" * 60, "com"])

    assert len(longest) == 253
    assert guard().check(f"https://{longest}./").host == longest
    assert rule_of(f"https://b{longest}/") == "G6"


def test_a_denial_shows_a_client_nothing_and_an_operator_the_rule():
    with pytest.raises(Denied) as caught:
        guard().check("https://169.254.169.254/")

    assert str(caught.value) == "URL is not allowed"
    assert caught.value.operator == "G10: 169.254.169.254 lies in 169.254.0.0/16"


def test_g2_webhooks_must_be_https():
    assert rule_of("http://images.shop.com/", https_only=True) == "G2"
    assert guard(https_only=True).check("https://images.shop.com/").scheme == "https"


def test_g4_the_list_of_ports_is_the_operators():
    assert guard(ports=frozenset((9443,))).check("https://images.shop.com:9443/").port == 9443
    assert rule_of("https://images.shop.com/", ports=frozenset((9443,))) == "G4"


async def test_g12_a_literal_address_needs_no_look_up():
    watch = guard()

    assert await watch.resolve(watch.check("https://1.1.1.1/")) == (ip_address("1.1.1.1"),)


async def test_g12_every_answer_is_given_in_its_order_and_once():
    watch = guard(resolving("9.9.9.9", "2400:cb00::1", "9.9.9.9"))

    assert await watch.resolve(watch.check("https://images.shop.com/")) == (
        ip_address("9.9.9.9"),
        ip_address("2400:cb00::1"),
    )


@pytest.mark.parametrize(
    ("answers", "rule"),
    [
        (["9.9.9.9", "127.0.0.1"], "G10"),
        (["10.0.0.1", "9.9.9.9"], "G10"),
        (["9.9.9.9", "::1"], "G11"),
        (["::ffff:10.0.0.1"], "G11"),
        (["64:ff9b::909:909"], "G11"),
        (["2400:cb00::1", "fe80::1%eth0"], "G12"),
        (["9.9.9.9", "0x7f.1"], "G12"),
        (["9.9.9.9", "images.shop.com"], "G12"),
        ([""], "G12"),
        ([], "G12"),
        ([f"9.9.9.{last}" for last in range(33)], "G12"),
    ],
)
async def test_g12_one_bad_answer_none_or_too_many_deny_the_name(answers, rule):
    assert await rule_of_answers(*answers) == rule


async def test_g12_thirty_two_answers_are_not_too_many():
    watch = guard(resolving(*(f"9.9.9.{last}" for last in range(32))))

    assert len(await watch.resolve(watch.check("https://images.shop.com/"))) == 32


async def test_g12_a_name_that_is_not_found_is_denied():
    async def unknown(host):
        raise OSError(-2, "Name or service not known")

    watch = guard(unknown)
    with pytest.raises(Denied) as caught:
        await watch.resolve(watch.check("https://images.shop.com/"))

    assert (
        caught.value.operator == "G12: images.shop.com was not resolved: [Errno -2] Name or service not known"
    )


async def test_g12_a_name_is_asked_for_once_and_in_its_wire_form():
    asked = []

    async def remembering(host):
        asked.append(host)
        return ("9.9.9.9",)

    watch = guard(remembering)
    await watch.resolve(watch.check("https://Bücher.de./"))

    assert asked == ["xn--bcher-kva.de"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9000/", "https://127.0.0.1:9000/", "http://minio:9000/a", "http://MINIO.:9000/a",
        "http://nas.lan:5000/", "http://localhost:1234/", "http://[fd00::5]:9000/", "http://[FD00:0::5]:9000/",
    ],
)  # fmt: skip
async def test_g16_an_allowed_pair_passes_scheme_port_name_and_address(url):
    allow = allowed_pairs("127.0.0.1:9000, Minio:9000,nas.lan:5000,localhost:1234,[fd00::5]:9000")
    watch = guard(resolving("192.168.0.9"), allow=allow, https_only=True)

    assert len(await watch.resolve(watch.check(url))) == 1


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("http://127.0.0.1:9001/", "G4"),
        ("http://127.0.0.1/", "G10"),
        ("http://127.0.0.2:9000/", "G4"),
        ("http://127.1:9000/", "G4"),
        ("http://2130706433:9000/", "G4"),
        ("http://[::ffff:127.0.0.1]:9000/", "G4"),
        ("http://me@127.0.0.1:9000/", "G3"),
        ("http://127.0.0.1:9000\\@shop.com/", "G1"),
        ("ftp://127.0.0.1:9000/", "G2"),
        ("http://x.127.0.0.1:9000/", "G4"),
    ],
)
def test_g16_an_allowed_pair_allows_nothing_else(url, rule):
    assert rule_of(url, allow=allowed_pairs("127.0.0.1:9000")) == rule


def test_g16_allowed_networks_pass_the_rules_on_addresses_alone():
    rules = {"allow_cidrs": (ip_network("10.1.0.0/16"),)}

    assert guard(**rules).check("http://10.1.2.3/").literal == ip_address("10.1.2.3")
    assert rule_of("http://10.2.2.3/", **rules) == "G10"
    assert rule_of("http://10.1.2.3:9000/", **rules) == "G4"
    assert rule_of("http://[::ffff:10.1.2.3]/", **rules) == "G11"
    assert rule_of("http://nas.lan/", **rules) == "G9"


async def test_g16_denied_networks_win_over_everything():
    rules = {
        "allow": allowed_pairs("10.1.2.3:9000,images.shop.com:443"),
        "allow_cidrs": (ip_network("10.0.0.0/8"),),
        "deny_cidrs": (ip_network("10.1.2.0/24"), ip_network("9.9.9.9/32"), ip_network("2400:cb00::/32")),
        "nat64": True,
    }

    assert rule_of("http://10.1.2.3:9000/", **rules) == "G16"
    assert rule_of("https://9.9.9.9/", **rules) == "G16"
    assert await rule_of_answers("2400:cb00::1", **rules) == "G16"
    assert await rule_of_answers("::ffff:10.1.2.3", **rules) == "G16"
    assert await rule_of_answers("64:ff9b::9.9.9.9", **rules) == "G16"


async def test_nat64_accepts_answers_that_carry_a_public_address_and_no_literal():
    watch = guard(resolving("64:ff9b::9.9.9.9"), nat64=True)

    assert await watch.resolve(watch.check("https://images.shop.com/")) == (ip_address("64:ff9b::909:909"),)
    assert await rule_of_answers("64:ff9b::10.0.0.1", nat64=True) == "G10"
    assert await rule_of_answers("64:ff9b:1::9.9.9.9", nat64=True) == "G11"
    assert rule_of("https://[64:ff9b::9.9.9.9]/", nat64=True) == "G11"


def test_rules_can_be_turned_for_one_use():
    assert replace(GuardRules(), https_only=True).ports == frozenset((80, 443, 8080, 8443))


def test_pairs_are_read_as_an_operator_writes_them():
    assert allowed_pairs(" 127.0.0.1:9000, Images.LAN.:80 ,,[FD00::0:5]:443") == {
        ("127.0.0.1", 9000),
        ("images.lan", 80),
        ("fd00::5", 443),
    }
    assert allowed_pairs("") == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1", "images.lan", ":80", "images.lan:", "images.lan:0", "images.lan:65536", "images.lan:99999", "http://images.lan:80",
        "images.lan/a:80", "images.lan?:80", "images.lan#:80", "me@images.lan:80", "fd00::5:443", "a b:80",
        "10.0.0.0/8:80",
    ],
)  # fmt: skip
def test_what_is_no_pair_is_refused_with_the_way_out(text):
    with pytest.raises(ValueError, match=r"is no host and port: .*\. Write pairs such as images\.lan:8080"):
        allowed_pairs(text)


def test_a_configured_url_names_its_pair():
    assert trusted_pair("http://me:secret@GPU-box:30000/v1") == ("gpu-box", 30000)
    assert trusted_pair("https://[FD00::1]/") == ("fd00::1", 443)
    for text in ("/v1", "", "grpc://gpu-box/v1"):
        with pytest.raises(ValueError, match="write one such as https://"):
            trusted_pair(text)
    with pytest.raises(ValueError, match="names no host"):
        trusted_pair("https://a,b/")
