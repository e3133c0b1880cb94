//! Where devices connect to.

use super::{AwsError, Client};

impl Client {
    /// The host name that devices connect to and name in SNI (`DescribeEndpoint`, `iot:Data-ATS`).
    ///
    /// # Errors
    /// See [`AwsError`].
    pub(crate) async fn data_endpoint(&self) -> Result<String, AwsError> {
        const OPERATION: &str = "DescribeEndpoint";
        let answer = self.iot.describe_endpoint().endpoint_type("iot:Data-ATS").send().await;
        let answer = answer.map_err(|error| self.failed(OPERATION, &error))?;
        let address =
            answer.endpoint_address().ok_or_else(|| self.incomplete(OPERATION, "endpointAddress"))?;
        // AWS gives a name alone; doubles add the port of their control API.
        Ok(address.split(':').next().unwrap_or(address).to_owned())
    }
}
