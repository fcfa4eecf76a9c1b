// SPDX-License-Identifier: LGPL-2.1-or-later

// The whole search, one sieve after the other: sizes, beginnings, contents.
// Everything here runs on the main thread but the jobs, which are in reader.vala.
class Dupes.Scan {
    // A unit of work ends when it has so many bytes or so many files: large enough
    // to make its own cost small, small enough to share out.
    const uint64 BYTES_PER_UNIT = 1024 * 1024;
    const uint FILES_PER_UNIT = 128;

    Options options;
    Progress progress;
    Crew crew;
    Walk walk;
    Timer timer = new Timer ();

    public Scan (Options options) {
        this.options = options;
        progress = new Progress (options.progress);
        crew = new Crew (options.n_jobs, progress);
        walk = new Walk (crew, options);
    }

    // Gives what was found, also after stop().
    public async Findings run () throws Error {
        progress.begin ("Walking", 0);
        yield walk.run ();
        walk.problems = Problem.sorted (walk.problems);
        foreach (unowned Problem problem in walk.problems)
            progress.error (problem);

        var files = each_once (walk.files);
        if (!Interrupt.happened ()) {
            var candidates = with_twins (files, same_size);
            yield read ("Comparing", candidates, hash_beginning, file => uint64.min (file.size, BEGINNING));

            candidates.sort_with_data (by_beginning);
            candidates = with_twins (candidates, same_beginning);
            yield read ("Hashing", candidates, hash_rest, file => file.size - uint64.min (file.size, BEGINNING));
        }
        progress.end ();
        return new Findings (files, walk.problems, timer.elapsed ());
    }

    public void stop () {
        crew.stop ();
    }

    delegate void Step (Reader reader, File file, ChecksumType algorithm);
    delegate uint64 Amount (File file);
    delegate bool Same (File a, File b);

    // One pass over many files.  What becomes of a file is written into the file.
    async void read (string title, GenericArray<File> files, Step step, Amount amount) throws Error {
        uint[] ends = units_of (files, amount);
        uint64 n_bytes = 0;

        foreach (unowned File file in files)
            n_bytes += amount (file);
        progress.begin (title, n_bytes);
        yield crew.work (ends.length, index => {
            var reader = new Reader (progress);
            for (uint i = index > 0 ? ends[index - 1] : 0; i < ends[index] && !Interrupt.happened (); i++)
                step (reader, files[i], options.algorithm);
        }, index => {
            for (uint i = index > 0 ? ends[index - 1] : 0; i < ends[index]; i++)
                report (files[i]);
        });
        foreach (unowned File file in files)
            report (file);
    }

    uint[] units_of (GenericArray<File> files, Amount amount) {
        uint[] ends = {};
        uint64 n_bytes = 0;
        uint first = 0;

        for (uint i = 0; i < files.length; i++) {
            n_bytes += amount (files[i]);
            if (i + 1 == files.length || n_bytes >= BYTES_PER_UNIT || i + 1 - first >= FILES_PER_UNIT) {
                ends += i + 1;
                first = i + 1;
                n_bytes = 0;
            }
        }
        return ends;
    }

    void report (File file) {
        if (file.problem == null || file.reported)
            return;
        file.reported = true;
        var problem = new Problem (file.path (), file.problem);
        walk.problems.add (problem);
        progress.error (problem);
    }

    // Hard links, and files that were reached on two ways, are one file, known by the
    // path that sorts first.  The largest come first; files of one size are neighbours.
    static GenericArray<File> each_once (GenericArray<File> files) {
        var kept = new GenericArray<File> ();

        files.sort_with_data (by_size);
        for (uint i = 0; i < files.length; i++)
            if (i == 0 || files[i].inode != files[i - 1].inode || files[i].device != files[i - 1].device)
                kept.add (files[i]);
        return kept;
    }

    // Those that are like the one before or after them, and whose content is not known yet.
    static GenericArray<File> with_twins (GenericArray<File> files, Same same) {
        var kept = new GenericArray<File> ();

        for (uint i = 0; i < files.length; i++) {
            if ((i > 0 && same (files[i - 1], files[i])) || (i + 1 < files.length && same (files[i], files[i + 1]))) {
                if (files[i].checksum == null)
                    kept.add (files[i]);
            } else {
                files[i].state = null;
            }
        }
        return kept;
    }

    static bool same_size (File a, File b) {
        return a.size == b.size;
    }

    static bool same_beginning (File a, File b) {
        return a.size == b.size && a.beginning != null && a.beginning == b.beginning;
    }

    static int by_size (File a, File b) {
        if (a.size != b.size)
            return a.size > b.size ? -1 : 1;
        if (a.device != b.device)
            return a.device < b.device ? -1 : 1;
        if (a.inode != b.inode)
            return a.inode < b.inode ? -1 : 1;
        return strcmp (a.path (), b.path ());
    }

    static int by_beginning (File a, File b) {
        return a.size != b.size ? by_size (a, b) : strcmp (a.beginning ?? "", b.beginning ?? "");
    }
}
