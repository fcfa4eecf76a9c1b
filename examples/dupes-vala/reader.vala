// SPDX-License-Identifier: LGPL-2.1-or-later

namespace Dupes {
    // So many bytes of every file whose size is not unique are compared first.
    const uint64 BEGINNING = 4096;

    // The job of the second sieve.  A file of up to 4 KiB is known whole by then.
    // The others keep the state of their checksum, so that no byte is hashed twice.
    static void hash_beginning (Reader reader, File file, ChecksumType algorithm) {
        var state = new Checksum (algorithm);

        if (!reader.checksum (file, 0, uint64.min (file.size, BEGINNING), state))
            return;
        file.beginning = state.copy ().get_string ();
        if (file.size <= BEGINNING)
            file.checksum = file.beginning;
        else
            file.state = (owned) state;
    }

    // The job of the third one.
    static void hash_rest (Reader reader, File file, ChecksumType algorithm) {
        Checksum state = (owned) file.state;

        if (reader.checksum (file, BEGINNING, file.size, state))
            file.checksum = state.get_string ();
    }

    // Reads files, in blocks; one for each unit of work.
    class Reader {
        const string CHANGED = "Changed while it was being read";

        Progress progress;
        uint8[] block = new uint8[65536];

        public Reader (Progress progress) {
            this.progress = progress;
        }

        // Feeds file from offset to end into checksum.  False: interrupted, or file.problem tells.
        public bool checksum (File file, uint64 offset, uint64 end, Checksum checksum) {
            if (Interrupt.happened ())
                return false;

            // O_NONBLOCK: should a FIFO have taken the place of the file, nobody waits for its writer.
            int fd = Posix.open (file.path (), Posix.O_RDONLY | Posix.O_CLOEXEC | Posix.O_NOCTTY | Posix.O_NONBLOCK);
            if (fd < 0)
                return fail (file, strerror (errno));
            bool complete = read_blocks (file, fd, offset, end, checksum) && check_unchanged (file, fd);
            Posix.close (fd);
            return complete;
        }

        bool read_blocks (File file, int fd, uint64 offset, uint64 end, Checksum checksum) {
            if (offset > 0 && Posix.lseek (fd, (Posix.off_t) offset, Posix.SEEK_SET) < 0)
                return fail (file, strerror (errno));
            while (offset < end) {
                if (Interrupt.happened ())
                    return false;
                ssize_t n = Posix.read (fd, block, (size_t) uint64.min (end - offset, block.length));
                if (n < 0 && errno == Posix.EINTR)
                    continue;
                if (n <= 0)
                    return fail (file, n < 0 ? strerror (errno) : CHANGED);
                checksum.update (block, n);
                progress.add (0, n);
                offset += n;
            }
            return true;
        }

        // All stages have worked on one and the same content, or the file is reported and left out.
        static bool check_unchanged (File file, int fd) {
            Posix.Stat now;

            if (Posix.fstat (fd, out now) < 0)
                return fail (file, strerror (errno));
            return file.is_as_before (now) || fail (file, CHANGED);
        }

        static bool fail (File file, string message) {
            file.problem = message;
            return false;
        }
    }
}
