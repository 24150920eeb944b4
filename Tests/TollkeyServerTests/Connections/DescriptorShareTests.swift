import Testing
import TollkeyServer

struct DescriptorShareTests {
    @Test(arguments: [(1_024, 1, 720), (1_024, 4, 180), (128, 1, 48), (70, 4, 1), (16, 2, 1)])
    func `clients leave descriptors for providers, and each loop has room for one`(
        _ limit: Int, _ threads: Int, _ clients: Int
    ) {
        #expect(DescriptorShare.clients(limit: limit, threads: threads) == clients)
    }
}
