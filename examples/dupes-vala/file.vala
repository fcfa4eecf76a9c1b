// SPDX-License-Identifier: LGPL-2.1-or-later

namespace Dupes {
    // A folder that was walked, or is to be.
    class Folder {
        public string path;                     // "" for files that were named on the command line
        public bool is_link;                    // may be a symbolic link: a root, or one that is followed
        public uint64 device;
        public uint64 inode;

        public File[] files;
        public string[] folders;
        public string[] links;                  // links to folders
        public Problem[] problems;

        public Folder (string path, bool is_link) {
            this.path = path;
            this.is_link = is_link;
        }

        public string child (string name) {
            if (path == "")
                return name;
            return path.has_suffix ("/") ? path + name : path + "/" + name;
        }
    }

    // A regular file.  The first part is written by the walk, the second by the
    // one job that has the file at that time.
    class File {
        public Folder folder;
        public string name;
        public uint64 size;
        public uint64 device;
        public uint64 inode;
        public int64 mtime;                     // nanoseconds

        public Checksum? state;                 // of its beginning, while the rest is not hashed yet
        public string? beginning;               // the checksum that this state has
        public string? checksum;                // of the whole content
        public string? problem;                 // why it could not be read
        public bool reported;

        public File (Folder folder, string name, Posix.Stat status) {
            this.folder = folder;
            this.name = name;
            size = status.st_size;
            device = status.st_dev;
            inode = status.st_ino;
            mtime = mtime_of (status);
        }

        public string path () {
            return folder.child (name);
        }

        // Not written to since the walk saw it: all stages have worked on one and the same content.
        public bool is_as_before (Posix.Stat now) {
            return now.st_size == size && mtime_of (now) == mtime && now.st_ino == inode && now.st_dev == device;
        }

        static int64 mtime_of (Posix.Stat status) {
            return status.st_mtim.tv_sec * 1000000000LL + status.st_mtim.tv_nsec;
        }
    }

    // Something that could not be read.
    class Problem {
        public string path;
        public string message;

        public Problem (string path, string message) {
            this.path = path;
            this.message = message;
        }

        // By path, and each path once: a folder may have been met on two ways.
        public static GenericArray<Problem> sorted (GenericArray<Problem> all) {
            var kept = new GenericArray<Problem> ();

            all.sort_with_data ((a, b) => strcmp (a.path, b.path));
            for (uint i = 0; i < all.length; i++)
                if (i == 0 || all[i].path != all[i - 1].path)
                    kept.add (all[i]);
            return kept;
        }
    }

    // Files with the same content.
    class Group {
        public uint64 size;                     // of each
        public string checksum;
        public GenericArray<string> paths = new GenericArray<string> ();    // sorted bytewise

        public uint64 wasted {                  // by all but one
            get { return size * (paths.length - 1); }
        }
    }
}
