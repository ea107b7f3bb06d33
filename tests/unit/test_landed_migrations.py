"""A migration that has landed never changes: databases out there have run it as it was."""

from __future__ import annotations

import hashlib

import pytest

from sportsapp.core.settings import PROJECT_ROOT

LANDED = {
    "0001": "f144727bfccaa88b02341df5e8308288f34c4cd9dadfcdfb7ca3eed1870c742e",
    "0002": "4fe8874926256909329d4fd677a83cde18219e4eb8e1d5dee212ab201a0561df",
    "0003": "23b4399392909e4a8ac2ce7dfc1aa071213eefd6dd0fa9323adab7c649acedfa",
    "0004": "24afb551156393658b10e8ecd8591dc7d2fb8bc690b273c197bf74a6fd52066d",
    "0005": "6ac79ecdfb5b51eb1b18a557f2f4d399252011c6e50810e87a0e49a9f4ac2fdf",
    "0006": "024a2949cfabe9da2ed64285aae0519bbe5e0a12d129cdfdbffe5c921ba5a558",
    "0007": "e79aadbfb9384b597915d088cfe8fbdce3f6a898419ed9eef2ebcb63db871692",
    "0008": "244741bba88c3086a15fad2d7a5bd805ac25460cad11a16470d3cc972cc5ba32",
    "0009": "321159b99621233dccde6b53888a28c799fa7be3594ff8ccc11d56530c05ba51",
    "0010": "c25c8a4abb04ac40015b683141c4c957e0d64f1e583135c94990d86ad6d1ba97",
    "0011": "c1e350100232804acc7c9321a5de92918b3c16648c760530cbc81775a4bd26a4",
    "0012": "309ca4e34751e2d5382e7c09c8a6fa49392704d58816a1fb38f731245d81d944",
    "0013": "3227b81e83d7688d9e05699e227ce7d2835f6a6d54da7274421ef3ac75814718",
    "0014": "00abc0f747e8741ebcb284131590cd1f7e884ca9f50e6e3a4c52d055042af72f",
    "0015": "40988b9f663d20bd309013ecb56671a1ed2213900d5d69709bef2c4fbfda9b24",
    "0016": "50941ae2693e70885cd4fea7fddc4251408138954000e1424db8b03035db9f88",
    "0017": "d6032e977a48d88c48d6e133d9b363add4ad5b229b31d4995557e9cb24e50bef",
    "0018": "31be42d6820063d3834738e0406c2788d07f8230ea6265614eab97b807613dad",
    "0019": "0e2ef76c6ad5837201e2312e57d3b3053ee6f5fabb8eb0663d5b5eaae6c58f5e",
    "0020": "487c283c8a4c459b28a1dbf35d95c00bc9d71130176ce1a5bc3b1fb8d3562fcc",
    "0021": "211644337804e78675a790af81be62b18f6306cb53134a72c2bea0ac2daee7c3",
    "0022": "a6bc93e8f715cb751bc8c5aee7e80f7809cdcd2eaef59fbce35bc950c4ba2d63",
    "0023": "b71a50c7b38550faf3871707e7d7b62024b6457deb945383e020f18d44949248",
    "0024": "e2a9b59b6c83433b18ca50e033f65468ba5e5e19014e54ec50387040f2bd9318",
    "0025": "8a676e2a16199aac8eb8379cabec5134b7d7ff48a112e693f262aebe7154e32a",
    "0026": "96984cdc841244f9f534f430312ac8d9ef8708389d7f43379e9cf59ee7d80186",
    "0027": "3a59d50ab7abdba5ed823392b13164924020c93bcf68a22a8556044d057b294b",
    "0028": "2bc7908be6aa75ddc3d0e4d44c4a5cbff235dd44ad008e48e1ce1c9ec5ebcd81",
    "0029": "f7c869e2b1d991db1eb2048464d5f2d55e9d6595b6cda7da3872d79ad0a4ab80",
    "0030": "d4029243dde46909c8ba489f1e876037d829c5134ef746caf9064d80a418b452",
    "0031": "0df81398ff9ae75734565ade0a5b000d3e5439da4c8e7d3191941025b84d9d81",
    "0032": "29301cc5f2129b939a84cb086db2f87a2deb001cf97040eda74e9cd073a0fc15",
    "0033": "91e9d45c7ad2e6d25073f6569656ab0bbccf0587f557ecb07012317f2bb73cda",
    "0034": "3c70d040155dbf0df148a416beb57c432d96f8172f48f92244ca028de7ed24f4",
    "0037": "53c88ba4fb667b9eb7e2c6ee2ef0dbe2edd9f8f410863f7827e7d7fd40f385d0",
    "0038": "f8fabb72656fd806f748335be0d869776ca303667522a3b511df3c52049685ef",
    "0039": "9fee06099e47b5a35e0fbee9b5ae169e4dd0322e65c8a462cf6b8c4157a89b7d",
    "0040": "a5df1292772fa40dd3327a371722ed6c8849c2199c585516f87766511751d61c",
    "0041": "2d04b61fd0f5894b15ddad9494572f1e26ca345e66044a83dc971eeece5ef658",
    "0042": "78de4f57e2868d89f192cd9f6747df21dccfc630b97963dfa3caedb5a924877f",
}
"""SHA-256 of each migration, by its number. The change that brings a new one adds it here."""


def test_landed_migrations_are_as_they_were():
    files = sorted((PROJECT_ROOT / "migrations" / "versions").glob("*.py"))
    digests = {file.name[:4]: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    assert digests == LANDED


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/your-first-change.md"])
def test_docs_name_the_number_after_the_newest(page):
    newest = int(max(LANDED))
    assert f"--rev-id {newest + 1:04} " in (PROJECT_ROOT / page).read_text().replace(
        "`", " "
    ).replace("\n", " ")
