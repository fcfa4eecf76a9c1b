// SPDX-License-Identifier: LGPL-2.1-or-later

// What the program has found out, and all that the reports need to know.
class Dupes.Findings {
    // The most wasteful first, then by first path.
    public GenericArray<Group> groups = new GenericArray<Group> ();
    public GenericArray<Problem> problems;      // sorted by path, each path once
    public uint64 n_files;                      // distinct files that were looked at, and their bytes
    public uint64 n_bytes = 0;
    public uint64 n_wasted = 0;
    public bool interrupted = Interrupt.happened ();
    public double seconds;

    // The checksums decide: files of one size and checksum are a group.  With a broken
    // algorithm (md5, sha1) somebody may have made different files that look equal.
    public Findings (GenericArray<File> files, GenericArray<Problem> problems, double seconds) {
        var hashed = new GenericArray<File> ();
        Group? group = null;

        n_files = files.length;
        this.problems = Problem.sorted (problems);
        this.seconds = seconds;
        foreach (unowned File file in files) {
            n_bytes += file.size;
            if (file.checksum != null)
                hashed.add (file);
        }

        hashed.sort_with_data (by_content);
        for (uint i = 0; i < hashed.length; i++) {
            if (i == 0 || by_content (hashed[i - 1], hashed[i]) != 0) {
                close_group (group);
                group = new Group ();
                group.size = hashed[i].size;
                group.checksum = hashed[i].checksum;
            }
            group.paths.add (hashed[i].path ());
        }
        close_group (group);
        groups.sort_with_data (by_waste);
    }

    void close_group (Group? group) {
        if (group == null || group.paths.length < 2)
            return;
        group.paths.sort (strcmp);
        groups.add (group);
        n_wasted += group.wasted;
    }

    static int by_content (File a, File b) {
        if (a.size != b.size)
            return a.size > b.size ? -1 : 1;
        return strcmp (a.checksum, b.checksum);
    }

    static int by_waste (Group a, Group b) {
        if (a.wasted != b.wasted)
            return a.wasted > b.wasted ? -1 : 1;
        return strcmp (a.paths[0], b.paths[0]);
    }
}
