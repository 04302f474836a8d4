"""Which e-mail addresses are a person's, and which an office's, a list's or nobody's."""

from __future__ import annotations

import re

_ROLE_WORDS = """
    abuse accessibility account accounting accounts admin administration administrator administrators admissions ads
    advertising alert alerts announce api apply appointments archive archives ask assistance audit billing board
    booking bookings bot bounce bounces branch bug bugs bureau business care careers cc center ceo cfo chair challenge
    challenges chat chief circulation claims clerk comm comment comments comms communication communications community
    complaints compliance conference contact contactus contracts coordinator copyright corporate correspondence
    council customer customercare customers customerservice daemon data demo dept desk dev devel developer developers
    digital director dispatch dmca dns donate donations donotreply dpo editor editorial editors education email
    emergency employment enquiries enquiry errata erratum event events exec executive facilities faq feedback finance
    foia forum ftp fundraising general git gov government grants group hallo hello help helpdesk hg hi hiring home
    hostmaster hotline hq hr humanresources ideas inbox info information inquiries inquiry insurance intake integrity
    international internship internships investigations investor investors invoice issue issues it job jobs join
    journal kontakt lab legal library license licenses licensing list listmaster lists listserv live mail mailbox
    mailer mailing mailman maintainer maintainers majordomo management manager marketing media member members
    membership moderator moderators museum national network news newsdesk newsgroup newsletter newsletters newsroom
    nobody noc noreply notice notification notifications office officer official oig ombuds ombudsman online open
    opensource operations operator ops opt order orders orga organizers outreach owner owners partner partners
    partnership partnerships payments permission permissions personnel planning podcast policy post postmaster pr
    press privacy procurement products program programs project projects proposals public publicaffairs publications
    publicity publishing purchasing query questions reception records recruiter recruiting recruitment redaktion
    reference refunds register registrar registration relations reply report reports reportspam request requests
    research reservation reservations respond response returns review reviews root rsvp safety sales schedule school
    secretariat secretary security sekretariat service services shop sig social software solutions spam sponsor
    sponsors sponsorship staff statistics stats store strategy studio submission submissions submit subscribe
    subscription subscriptions suggestions support svn sys sysadmin system team teams tech technical techsupport
    tenders test testing tests tickets tips trademark trademarks training travel treasurer trust unsubscribe update
    updates usenet user users uucp vendor volunteer volunteers vulnerabilities vulnerability warehouse web webadmin
    webcontent webinar webinars webmail webmanager webmaster webmasters website webteam welcome wg workshop workshops
    www
"""
_ROLES = frozenset(_ROLE_WORDS.split())
"""Words for which an address is an office's, where its name begins or ends with one (RFC 2142, and ours from public
sites' mailboxes)."""

_OFFICE_STEMS = """
    advis agency benefits compliance conference contact coordinat council customer deploy digital director emergenc
    enquir experience federal feedback govern helpdesk hotline information innovat inquir library listserv manager
    marketing newsletter outreach partner payment platform privacy procure program project question recruit registr
    request research scheduling secretar security service software standard statistic submission subscri support
    system technolog training translat volunteer webinar webmaster website workshop
"""
_OFFICE = re.compile(rf"{'|'.join(_OFFICE_STEMS.split())}|(?:desk|events|gov|group|help|info|office|team)$")
"""What the one word of a name holds or ends with where it is an office's (ours, from public sites' mailboxes; none is
in usual names, as "event" is in "steventhomas")."""

_OFFICE_BEFORE = re.compile(
    r"(?:\b(?:branch|department|desk|division|office|staff|team|unit)\b[^.!?\n@'’]{0,20}\b(?:at|e-?mail|to|via)"
    r"|\bus(?: at)?)\W{0,4}(?:mailto:(?:%20)?)?$",
    re.IGNORECASE,
)
"""Words before an address that say it is theirs, as in "contact the archive team at" or "write to us at"."""

_OFFICE_HOST_WORDS = "bounces bugs googlegroups groups helpdesk list lists listserv listserver mailman support"
_OFFICE_HOSTS = frozenset(_OFFICE_HOST_WORDS.split())
"""Labels of hosts whose addresses are mailing lists or help desks (ours)."""

_PLACEHOLDER_WORDS = """
    address anybody anyone bar baz doe email emailaddress example first firstname fname foo foobar from handle janedoe
    jdoe johndoe last lastname lname login me my myemail myname myself name nobody recipient sender somebody someone
    someuser test tester u user username xxx xxxx you your youremail yourname
"""
_PLACEHOLDERS = frozenset(_PLACEHOLDER_WORDS.split())
"""Words that stand for the reader's own name or for anybody's (ours); "john.doe" is told by its last one."""

_EXAMPLE_HOST_WORDS = """
    acme bar baz company domain example foo foobar host mycompany mydomain myhost mysite organization otherdomain
    placeholder sample samples server somedomain somewhere test website yourcompany yourdomain yourhost yourorg
    yourorganization yoursite
"""
_EXAMPLE_HOSTS = frozenset(_EXAMPLE_HOST_WORDS.split())
"""Second-level names that stand for anybody's: "example" is RFC 2606's, the others are ours."""

_NO_PUBLIC_HOST = frozenset(
    {"arpa", "example", "internal", "invalid", "lan", "local", "localdomain", "localhost", "onion", "test", "tld"}
)
"""Top-level domains of no public host (RFC 2606, RFC 6762)."""

_FILE_ENDINGS = """
    avif bmp css csv gif gz html ico jpeg jpg js json md pdf png py service svg tif tiff ts txt webp xml yaml yml zip
"""
_FILES = frozenset(_FILE_ENDINGS.split())
"""Endings of files rather than hosts, as in `icon@2x.png` (ours; a few are top-level domains that hardly anybody
has)."""

_BREAKS = re.compile(r"[\W\d_]+")


def is_personal(name: str, host: str) -> bool:
    """Whether `name@host`, both in lower case, may be one person's address."""
    *labels, top = host.split(".")
    if top in _NO_PUBLIC_HOST or top in _FILES or not _OFFICE_HOSTS.isdisjoint(labels):
        return False
    if any(label in _EXAMPLE_HOSTS for label in labels[-2:]):
        return False
    words = [word for word in _BREAKS.split(name.partition("+")[0]) if word]
    if not words or "reply" in name or "".join(words) in labels or (len(words) > 1 and words[0] in labels):
        return False
    if words[0] in _ROLES or words[-1] in _ROLES or words[-1] == "doe":
        return False
    if name[0].isdigit() or (len(words) == 1 and _OFFICE.search(words[0])):
        return False
    return not all(word in _PLACEHOLDERS for word in words)


def is_announced_as_office(name: str, before: str) -> bool:
    """Whether the words `before` an address say that it is an office's; a name of two words is a person's even so."""
    return len(_BREAKS.split(name)) == 1 and _OFFICE_BEFORE.search(before) is not None
