#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# What an application in Python does with the library: a key session of its
# own, and the key ring. Run by meson with GI_TYPELIB_PATH set.
import gc
import sys
import unittest
import weakref

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstCenc", "1.0")
from gi.repository import GLib, Gst, GstCenc  # noqa: E402

Gst.init(None)
KID = bytes(range(16))
OTHER = bytes(range(100, 116))
KEY = bytes(range(16, 32))


def failure(code, message):
    return GLib.Error.new_literal(GstCenc.cenc_error_quark(), message, code)


class Session(GstCenc.CencKeySession):
    def __init__(self):
        super().__init__()
        self.calls = []

    def do_has_key(self, kid):
        return bytes(kid) == KID

    def do_get_key(self, kid, use):
        self.calls.append((bytes(kid), use))
        if bytes(kid) != KID:
            raise failure(GstCenc.CencError.WINDOW_OVER, "the window is over")
        return GstCenc.CencKey.new(KID, KEY)

    def do_list_kids(self):
        return [GLib.Bytes.new(KID)]

    def do_add_license(self, document, caps):
        self.calls.append((document.get_data(), caps and caps.to_string()))
        return True

    def do_begin(self):
        self.calls.append("begin")

    def do_end(self):
        self.calls.append("end")


class Subclass(unittest.TestCase):
    def test_keys(self):
        session = Session()
        self.assertTrue(session.has_key(KID))
        self.assertFalse(session.has_key(OTHER))
        key = session.get_key(KID, GstCenc.CencKeyUse.PREROLL)
        self.assertEqual(key.get_kid(), KID)
        self.assertEqual(session.calls, [(KID, GstCenc.CencKeyUse.PREROLL)])
        for _ in range(3):
            kids = session.list_kids()
            gc.collect()
            self.assertEqual([k.get_data() for k in kids], [KID])

    def test_error_has_its_reason(self):
        with self.assertRaises(GLib.Error) as caught:
            Session().get_key(OTHER, GstCenc.CencKeyUse.PLAY)
        self.assertTrue(caught.exception.matches(GstCenc.cenc_error_quark(),
                                                 GstCenc.CencError.WINDOW_OVER))
        self.assertIn("the window is over", str(caught.exception))

    def test_license(self):
        session = Session()
        caps = Gst.Caps.from_string("application/x-cenc-license")
        self.assertTrue(session.add_license(GLib.Bytes.new(b"doc"), caps))
        self.assertTrue(session.add_license(GLib.Bytes.new(b"doc"), None))
        self.assertEqual(session.calls,
                         [(b"doc", "application/x-cenc-license"), (b"doc", None)])

    def test_begin_and_end(self):
        session = Session()
        session.begin()
        session.begin()
        session.end()
        session.end()
        self.assertEqual(session.calls, ["begin", "end"])

    def test_changed(self):
        session = Session()
        seen = []
        session.connect("changed", seen.append)
        before = session.get_generation()
        session.changed()
        self.assertEqual(seen, [session])
        self.assertEqual(session.get_generation(), before + 1)

    def test_context(self):
        session = Session()
        context = session.context_new()
        self.assertEqual(context.get_context_type(),
                         GstCenc.CENC_KEY_SESSION_CONTEXT_TYPE)
        self.assertIs(GstCenc.CencKeySession.from_context(context), session)

    def test_nothing_is_leaked(self):
        session = Session()
        self.assertEqual(session.__grefcount__, 1)
        gone = weakref.ref(session)
        del session
        gc.collect()
        self.assertIsNone(gone())


class Ring(unittest.TestCase):
    def test_ring(self):
        for ring in GstCenc.CencKeyRing.new(), GstCenc.CencKeyRing():
            self.assertEqual(ring.__grefcount__, 1)
            ring.add(GstCenc.CencKey.new(KID, KEY))
            self.assertTrue(ring.add_hex("64656667-6869-6a6b-6c6d-6e6f70717273:"
                                         + KEY.hex()))
            self.assertTrue(ring.has_key(KID) and ring.has_key(OTHER))
            for _ in range(3):
                kids = ring.list_kids()
                gc.collect()
                self.assertEqual(sorted(k.get_data() for k in kids), [KID, OTHER])
            key = ring.get_key(OTHER, GstCenc.CencKeyUse.PLAY)
            self.assertEqual(key.get_kid(), OTHER)
            ring.clear()
            self.assertFalse(ring.has_key(KID))
            with self.assertRaises(GLib.Error) as caught:
                ring.get_key(KID, GstCenc.CencKeyUse.PLAY)
            self.assertIn(KID.hex(), str(caught.exception))

    def test_bad_keys(self):
        with self.assertRaises(GLib.Error) as caught:
            GstCenc.CencKeyRing.new().add_hex("no keys")
        self.assertTrue(caught.exception.matches(GstCenc.cenc_error_quark(),
                                                 GstCenc.CencError.FORMAT))

    def test_deadline_and_output_protection(self):
        demand = Gst.Structure.new_from_string("output-protection, hdcp=(string)2.2")
        key = GstCenc.CencKey.new_full(KID, KEY, 77, demand)
        self.assertEqual(key.get_deadline(), 77)
        self.assertEqual(key.get_output_protection().get_string("hdcp"), "2.2")
        with self.assertRaises(GLib.Error):
            GstCenc.cenc_output_protection_covers(demand, None)

    def test_the_secret_is_not_offered(self):
        self.assertFalse(hasattr(GstCenc.CencKey, "get_data"))

    def test_kid_to_string(self):
        self.assertEqual(GstCenc.cenc_kid_to_string(KID), KID.hex())


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=0))
