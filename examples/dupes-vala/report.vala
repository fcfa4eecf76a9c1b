// SPDX-License-Identifier: LGPL-2.1-or-later

namespace Dupes.Report {
    static string list (string[] lines) {
        return lines.length == 0 ? "" : "\n  " + string.joinv (",\n  ", lines);
    }

    // For programs.
    static string json (Findings found) {
        string[] groups = {}, problems = {};

        foreach (unowned Group group in found.groups) {
            string[] paths = {};
            foreach (unowned string path in group.paths)
                paths += Text.json (path);
            groups += "{\"size\": %s, \"checksum\": %s, \"paths\": [%s]}".printf (
                group.size.to_string (), Text.json (group.checksum), string.joinv (", ", paths));
        }
        foreach (unowned Problem problem in found.problems)
            problems += "{\"path\": %s, \"error\": %s}".printf (Text.json (problem.path), Text.json (problem.message));

        return @"{\"groups\": [$(list (groups))],\n \"files\": $(found.n_files),\n \"bytes\": $(found.n_bytes)" +
            @",\n \"wasted\": $(found.n_wasted),\n \"unreadable\": [$(list (problems))]" +
            @",\n \"interrupted\": $(found.interrupted),\n \"seconds\": %.3f}\n".printf (found.seconds);
    }

    // For people.
    static string table (Findings found) {
        var text = new StringBuilder ();
        uint64 n_copies = 0;

        if (found.groups.length > 0)
            text.append_printf ("%10s %10s %7s  %s\n", "WASTED", "SIZE", "COPIES", "PATH");
        foreach (unowned Group group in found.groups) {
            n_copies += group.paths.length - 1;
            text.append_printf ("%10s %10s %7u  %s\n", Text.bytes (group.wasted), Text.bytes (group.size),
                                group.paths.length, Text.name (group.paths[0]));
            for (uint i = 1; i < group.paths.length; i++)
                text.append_printf ("%29s  %s\n", "", Text.name (group.paths[i]));
        }
        if (found.groups.length > 0)
            text.append_c ('\n');
        text.append_printf ("%sLooked at %s files, %s, in %.2f s: %s duplicates in %u groups waste %s; %u could not be read\n",
                            found.interrupted ? "Interrupted, this is not all.  " : "", found.n_files.to_string (),
                            Text.bytes (found.n_bytes), found.seconds, n_copies.to_string (), found.groups.length,
                            Text.bytes (found.n_wasted), found.problems.length);
        return text.str;
    }
}
