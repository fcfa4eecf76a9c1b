// SPDX-License-Identifier: LGPL-2.1-or-later

namespace Dupes.Text {
    // "317 B", "1.2 kB", "48.0 MB": always one space, so that columns line up.
    static string bytes (uint64 n_bytes) {
        const string[] UNITS = { "kB", "MB", "GB", "TB", "PB", "EB" };
        double amount = n_bytes / 1000.0;
        int unit = 0;

        if (n_bytes < 1000)
            return @"$n_bytes B";
        for (; amount >= 999.95 && unit + 1 < UNITS.length; unit++)
            amount /= 1000.0;
        return "%.1f %s".printf (amount, UNITS[unit]);
    }

    // How many bytes the character at the start of text has; 0: it is none, but a byte of its own.
    static int character (string text, out unichar c) {
        c = text.get_char_validated ();
        return c == (unichar) (-1) || c == (unichar) (-2) ? 0 : c.to_utf8 (null);
    }

    // A file name as it is shown to a person.  A name is any bytes but NUL and slash: a
    // newline would break the table, an escape sequence would reach the terminal and a lone
    // byte above 127 is not text.  Those are written as \xHH, and the backslash as two, so
    // that nothing is ambiguous.  Programs read the JSON report instead.
    static string name (string raw) {
        var text = new StringBuilder ();
        unichar c;

        for (int at = 0, length = 0; at < raw.length; at += int.max (1, length)) {
            length = character (raw.offset (at), out c);
            if (length == 0)
                text.append_printf ("\\x%02x", (uint8) raw[at]);
            else if (c == '\\')
                text.append ("\\\\");
            else if (c.iscntrl ())
                for (int i = 0; i < length; i++)
                    text.append_printf ("\\x%02x", (uint8) raw[at + i]);
            else
                text.append_unichar (c);
        }
        return text.str;
    }

    // A file name as JSON.  JSON is text and file names are bytes: a name that is not UTF-8
    // is written with the convention of Python (PEP 383, "surrogateescape"), a byte 0x80 to
    // 0xff that is not part of a valid character becomes the lone surrogate \udc80 to \udcff.
    static string json (string raw) {
        var text = new StringBuilder ("\"");
        unichar c;

        for (int at = 0, length = 0; at < raw.length; at += int.max (1, length)) {
            length = character (raw.offset (at), out c);
            if (length == 0)
                text.append_printf ("\\udc%02x", (uint8) raw[at]);
            else if (c == '"' || c == '\\')
                text.append_printf ("\\%c", raw[at]);
            else if (c == '\n')
                text.append ("\\n");
            else if (c < 0x20 || c == 0x7f)
                text.append_printf ("\\u%04x", (uint) c);
            else
                text.append_unichar (c);
        }
        return text.append_c ('"').str;
    }
}
