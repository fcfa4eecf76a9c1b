// SPDX-License-Identifier: LGPL-2.1-or-later

namespace Dupes {
    // What the command line asked for.
    class Options {
        const string EXIT_STATUS =
            "Exit status: 0; 1 if something could not be read; 2 if the command line is wrong;\n" +
            "130 if interrupted (what was found until then is printed).";
        const string[] NAMES = { "md5", "sha1", "sha256", "sha384", "sha512" };
        const ChecksumType[] TYPES = {
            ChecksumType.MD5, ChecksumType.SHA1, ChecksumType.SHA256, ChecksumType.SHA384, ChecksumType.SHA512
        };

        public uint n_jobs = 0;                 // 0: as many as the process may use CPUs
        public uint64 min_size = 1;
        public ChecksumType algorithm;
        public bool json;
        public bool progress;
        public bool follow;
        public string[] roots;                  // raw file names, without trailing slashes

        [CCode (array_length = false, array_null_terminated = true)]
        static string[]? paths;                 // as GOption has them

        // -h prints the help and ends the program, as GOption always does.
        public Options (string[] args) throws OptionError {
            unowned string[] rest = args;
            string? jobs = null, smallest = null, checksum = null;
            bool as_json = false, with_bar = Posix.isatty (Posix.STDERR_FILENO), into_links = false;
            OptionEntry[] entries = {
                { "jobs", 'j', 0, OptionArg.STRING, &jobs, "Files to read at the same time (default: one per CPU)", "N" },
                { "min-size", 0, 0, OptionArg.STRING, &smallest, "Ignore smaller files (default: 1)", "BYTES" },
                { "algorithm", 0, 0, OptionArg.STRING, &checksum,
                  "Checksum: md5, sha1, sha256 (default), sha384, sha512", "NAME" },
                { "json", 0, 0, OptionArg.NONE, &as_json, "Write one JSON object instead of a table", null },
                { "progress", 0, 0, OptionArg.NONE, &with_bar,
                  "Show a progress bar (default: when standard error is a terminal)", null },
                { "no-progress", 0, OptionFlags.REVERSE, OptionArg.NONE, &with_bar, "Show no progress bar", null },
                { "follow", 0, 0, OptionArg.NONE, &into_links, "Follow symbolic links", null },
                { OPTION_REMAINING, 0, 0, OptionArg.FILENAME_ARRAY, &paths, null, "PATH..." },
                { null }
            };
            var context = new OptionContext (null);

            context.set_summary ("Finds files with the same content.");
            context.set_description (EXIT_STATUS);
            context.add_main_entries (entries, null);
            context.parse (ref rest);

            n_jobs = (uint) number ("--jobs", jobs, 1, 512, 0);
            min_size = number ("--min-size", smallest, 0, int64.MAX, 1);
            algorithm = type_of (checksum ?? "sha256");
            json = as_json;
            progress = with_bar;
            follow = into_links;
            foreach (unowned string path in paths)
                roots += without_trailing_slashes (path);
            if (roots.length == 0)
                throw new OptionError.BAD_VALUE ("no file or folder was given");
        }

        static uint64 number (string option, string? text, uint64 min, uint64 max, uint64 otherwise) throws OptionError {
            uint64 value = otherwise;
            try {
                if (text != null)
                    uint64.from_string (text, out value, 10, min, max);
            } catch (NumberParserError e) {
                throw new OptionError.BAD_VALUE ("%s: %s", option, e.message);
            }
            return value;
        }

        static ChecksumType type_of (string name) throws OptionError {
            for (int i = 0; i < NAMES.length; i++)
                if (name == NAMES[i])
                    return TYPES[i];
            throw new OptionError.BAD_VALUE ("--algorithm: unknown algorithm '%s'; there are %s",
                                             name, string.joinv (", ", NAMES));
        }

        static string without_trailing_slashes (string path) {
            int length = path.length;

            while (length > 1 && path[length - 1] == '/')
                length--;
            return path[0:length];
        }
    }
}
