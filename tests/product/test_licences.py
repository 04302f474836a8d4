"""Which texts may be passed on, and what the hub calls their licences."""

from __future__ import annotations

import pytest

from humpback.product.licences import NO_DERIVATIVES, NOT_STATED, RESERVED, UNKNOWN, licence_of


@pytest.mark.parametrize(
    ("stated", "hub"),
    [
        ("CC0-1.0", "cc0-1.0"),
        ("http://creativecommons.org/publicdomain/zero/1.0/", "cc0-1.0"),
        ("CC BY-SA 4.0", "cc-by-sa-4.0"),
        ("Creative Commons Attribution-ShareAlike 4.0 International License", "cc-by-sa-4.0"),
        ("Creative Commons Attribution 4.0 International (CC BY 4.0)", "cc-by-4.0"),
        ("https://creativecommons.org/licenses/by-nc-sa/3.0/us/", "cc-by-nc-sa-3.0"),
        ("CC BY-NC-SA 1.0", None),  # the hub has no name for it
        ("Apache Software License", "apache-2.0"),
        ("Apache License, Version 2.0", "apache-2.0"),
        ("Apache-2.0 WITH LLVM-exception", "apache-2.0"),
        ("The MIT License", "mit"),
        ("https://opensource.org/licenses/MIT", "mit"),
        ("GNU General Public License v3 (GPLv3)", "gpl-3.0"),
        ("GPL-3.0-or-later", "gpl-3.0"),
        ("Python Software Foundation License", None),
        ("public domain (CC0)", None),
        ("MIT OR Apache-2.0", None),
        ("MIT AND Expat", "mit"),
        ("Foo OR MIT", None),
    ],
)
def test_open_licences_are_known_by_many_names(stated, hub):
    found = licence_of(stated)
    assert (found.hub, found.refused) == (hub, None)


@pytest.mark.parametrize(
    ("stated", "why"),
    [
        (None, NOT_STATED),
        ("  ", NOT_STATED),
        ("CC-BY-ND-4.0", NO_DERIVATIVES),
        ("https://creativecommons.org/licenses/by-nc-nd/4.0/", NO_DERIVATIVES),
        ("Creative Commons Attribution-NoDerivatives 4.0", NO_DERIVATIVES),
        ("CC BY 4.0 (no derivatives)", NO_DERIVATIVES),
        ("CC-BY-ND-4.0 AND (MIT OR BSD)", NO_DERIVATIVES),
        ("All rights reserved.", RESERVED),
        ("Other/Proprietary License", RESERVED),
        ("CC BY 4.0, all rights reserved", RESERVED),
        ("MIT AND Proprietary", RESERVED),
        ("see LICENSE", UNKNOWN),
        ("by the people", UNKNOWN),
        ("MIT AND Foo", UNKNOWN),
        ("CC-BY-4.0 AND Foo", UNKNOWN),
        ("Foo OR Bar", UNKNOWN),
        ("(" * 500 + " or " * 500, NOT_STATED),
        ("=" * 10_000, UNKNOWN),
    ],
)
def test_what_forbids_it_and_what_nobody_allowed_is_refused(stated, why):
    assert licence_of(stated).refused == why


def test_a_licence_with_no_derivatives_keeps_its_name_on_the_hub():
    assert licence_of("CC BY-ND 4.0").hub == "cc-by-nd-4.0"
