// SPDX-License-Identifier: LGPL-2.1-or-later

// The walk: level after level.  The folders of one level are the items of one
// map(); what they contain is put together here, on the main thread.
//
// With --follow links to folders are kept for later: first everything that can
// be reached without them, then one link after the other in the order of their
// names.  So a file has the same path in every run although the jobs run in any
// order, and a folder that was seen is not walked again, which ends every loop
// of links.
class Dupes.Walk {
    public GenericArray<File> files = new GenericArray<File> ();
    public GenericArray<Problem> problems = new GenericArray<Problem> ();

    Crew crew;
    Options options;
    bool following = false;
    GenericArray<string> links = new GenericArray<string> ();
    GenericSet<string> seen = new GenericSet<string> (str_hash, str_equal);

    public Walk (Crew crew, Options options) {
        this.crew = crew;
        this.options = options;
    }

    public async void run () throws Error {
        yield walk (open_roots ());
        following = true;
        while (links.length > 0 && !Interrupt.happened ()) {
            var round = links;
            links = new GenericArray<string> ();
            round.sort (strcmp);
            foreach (unowned string link in round) {
                Folder[] one = { new Folder (link, true) };
                yield walk (one);
            }
        }
    }

    // A root may be a symbolic link even without --follow: who names one means where it leads.
    Folder[] open_roots () {
        Folder[] level = {};
        var named = new Folder ("", false);

        foreach (unowned string path in options.roots) {
            Posix.Stat status;
            if (Posix.stat (path, out status) < 0)
                problems.add (new Problem (path, strerror (errno)));
            else if (Posix.S_ISDIR (status.st_mode))
                level += new Folder (path, true);
            else if (Posix.S_ISREG (status.st_mode))
                add_file (named, path, status);
        }
        take (named);
        return level;
    }

    async void walk (owned Folder[] level) throws Error {
        while (level.length > 0 && !Interrupt.happened ()) {
            unowned Folder[] folders = level;
            yield crew.work (level.length, index => list (folders[index]));

            Folder[] next = {};
            foreach (unowned Folder folder in level) {
                if (was_seen (folder))
                    continue;
                take (folder);
                foreach (unowned string path in folder.folders)
                    next += new Folder (path, false);
            }
            level = (owned) next;
        }
    }

    bool was_seen (Folder folder) {
        if (!options.follow || folder.inode == 0)
            return false;
        string id = @"$(folder.device):$(folder.inode)";
        bool known = following && id in seen;
        seen.add (id);
        return known;
    }

    void take (Folder folder) {
        foreach (unowned File file in folder.files)
            files.add (file);
        foreach (unowned Problem problem in folder.problems)
            problems.add (problem);
        foreach (unowned string link in folder.links)
            links.add (link);
        folder.files = null;
    }

    // The job: lists one folder.  It never fails; what cannot be read is noted, and the walk goes on.
    void list (Folder folder) {
        int flags = Posix.O_RDONLY | Posix.O_DIRECTORY | Posix.O_CLOEXEC;

        if (Interrupt.happened ())
            return;
        int fd = Posix.open (folder.path, folder.is_link ? flags : flags | Posix.O_NOFOLLOW);
        if (fd < 0) {
            folder.problems += new Problem (folder.path, strerror (errno));
            return;
        }

        Posix.Dir stream = Posix.fdopendir (fd);
        Posix.Stat status;
        if (Posix.fstat (fd, out status) == 0) {
            folder.device = status.st_dev;
            folder.inode = status.st_ino;
        }
        unowned Posix.DirEnt? entry;
        errno = 0;
        while ((entry = Posix.readdir (stream)) != null && !Interrupt.happened ()) {
            unowned string name = (string) entry.d_name;
            if (name != "." && name != "..")
                add_entry (folder, fd, name);
            errno = 0;
        }
        if (entry == null && errno != 0)
            folder.problems += new Problem (folder.path, strerror (errno));
        count (folder);
    }

    void add_entry (Folder folder, int fd, string name) {
        Posix.Stat status;

        if (Posix.fstatat (fd, name, out status, Posix.AT_SYMLINK_NOFOLLOW) < 0)
            folder.problems += new Problem (folder.child (name), strerror (errno));
        else if (Posix.S_ISREG (status.st_mode))
            add_file (folder, name, status);
        else if (Posix.S_ISDIR (status.st_mode))
            folder.folders += folder.child (name);
        else if (Posix.S_ISLNK (status.st_mode) && options.follow)
            add_link (folder, fd, name);
    }

    void add_link (Folder folder, int fd, string name) {
        Posix.Stat status;

        if (Posix.fstatat (fd, name, out status, 0) == 0) {
            if (Posix.S_ISREG (status.st_mode))
                add_file (folder, name, status);
            else if (Posix.S_ISDIR (status.st_mode))
                folder.links += folder.child (name);
        } else if (errno != Posix.ENOENT && errno != Posix.ELOOP && errno != Posix.ENOTDIR) {
            // A link that leads nowhere, or in a circle, is not a file that could not be read.
            folder.problems += new Problem (folder.child (name), strerror (errno));
        }
    }

    void add_file (Folder folder, string name, Posix.Stat status) {
        if (status.st_size >= options.min_size)
            folder.files += new File (folder, name, status);
    }

    void count (Folder folder) {
        uint64 n_bytes = 0;

        foreach (unowned File file in folder.files)
            n_bytes += file.size;
        crew.progress.add (folder.files.length, n_bytes);
    }
}
